/* order.c - the door between the client and the kernel; pure. */
#include "init/net/order.h"

const char *order_check(const struct order *o)
{
	if (o->kind == ORDER_NONE || o->kind == ORDER_DROP)
		return NULL;
	if (o->kind != ORDER_APPLY)
		return "there is no such order";
	const char *wrong = terms_check(&o->lease);
	if (wrong)
		return wrong;
	if (o->left <= 0)
		return "its lease is over";
	if (o->lease.seconds != LEASE_INFINITE && o->left > (msec_t)o->lease.seconds * 1000)
		return "it would last longer than its lease";
	return NULL;
}
