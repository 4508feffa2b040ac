/* dhcp.c - feeds the packet reader with anything, and the applier's check with any record. */
#include "init/net/order.h"

#include <stdlib.h>
#include <string.h>

#include "init/net/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static bool ended(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

/* Whatever is taken, these hold: files and the kernel are fed with it. */
static void lease_sound(const struct lease *l)
{
	MUST(ip4_host_ok(l->address) && l->bits >= BITS_LEAST && l->bits <= 32 && l->seconds >= LEASE_LEAST);
	MUST(l->t1 > 0 && l->t1 <= l->t2 && l->t2 <= l->seconds && (!l->mtu || (l->mtu >= 576 && l->mtu <= 9216)));
	MUST(l->n_hops <= MOST_HOPS && l->n_dns <= MOST_DNS && l->n_ntp <= MOST_NTP);
	for (uint32_t i = 0; i < l->n_hops; i++) {
		MUST(l->hops[i].bits == 0 || (l->hops[i].bits >= 8 && l->hops[i].bits <= 32 && ip4_host_ok(l->hops[i].to)));
		MUST(!l->hops[i].via || ip4_host_ok(l->hops[i].via));
	}
	MUST(ended(l->host, sizeof(l->host)) && (!*l->host || name_ok(l->host)));
	MUST(ended(l->search, sizeof(l->search)) && strspn(l->search, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ") == strlen(l->search));
}

static void message(const uint8_t *at, size_t n)
{
	struct dhcp d;
	struct lease l;

	if (wire_dhcp(at, n, &d) != WIRE_SOUND)
		return;
	MUST(d.type >= 1 && d.type <= 9 && d.server);
	MUST(d.n_routers <= MOST_ROUTERS && d.n_dns <= MOST_DNS && d.n_ntp <= MOST_NTP && d.n_hops <= MOST_HOPS && d.n_statics <= MOST_HOPS);
	MUST(ended(d.host, sizeof(d.host)) && (!*d.host || name_ok(d.host)));
	MUST(ended(d.domain, sizeof(d.domain)) && (!*d.domain || name_ok(d.domain)));
	MUST(ended(d.search, sizeof(d.search)) && (!*d.search || names_ok(d.search)));
	MUST(ended(d.words, sizeof(d.words)));
	if (terms_take(&d, &l))
		return;
	lease_sound(&l);
	MUST(!terms_check(&l));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *payload = NULL;
	struct order order;
	struct arp a;
	size_t n = 0;

	(void)wire_arp(data, size, &a);
	if (wire_udp(data, size, false, &payload, &n) == WIRE_SOUND) {
		MUST(payload >= data + 28 && payload + n <= data + size);
		message(payload, n);
	}
	message(data, size);
	/* What a client that was taken over could order. */
	if (size >= sizeof(order)) {
		memcpy(&order, data, sizeof(order));
		if (!order_check(&order) && order.kind == ORDER_APPLY) {
			lease_sound(&order.lease);
			MUST(order.left > 0 && (order.lease.seconds == UINT32_MAX || order.left <= (msec_t)order.lease.seconds * 1000));
		}
	}
	return 0;
}

#ifdef FUZZ_SWEEP
#include "tests/fuzz/sweep.h"
#endif
