/*
 * dhcpseq.c - leads the lease machine through any row of events, and holds it to its promises.
 *
 * Each event is an opcode, an argument of two bytes, and, for a message, its options: a length and so many bytes.
 */
#include "init/net/lease.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) do { if (!(condition)) abort(); } while (0)
#define SERVER IP4(198, 51, 100, 1)
#define YOURS  IP4(198, 51, 100, 50)

static struct {
	struct lease_machine m;
	struct lease_work w;
	msec_t now, sent[16];
	uint32_t n_sent;
	bool applied, link;
} fz;

static void look(void)
{
	MUST(fz.w.n_packets <= 2 && fz.w.listen < N_LISTENS);
	for (uint32_t i = 0; i < fz.w.n_packets; i++) {
		const struct lease_packet *p = &fz.w.packets[i];

		MUST(p->n <= WIRE_DHCP);
		if (p->how == SEND_ARP)
			continue;
		MUST(p->n >= 300 && sent_type(p->bytes, p->n));
		if (sent_type(p->bytes, p->n) == DHCP_RELEASE)
			continue;
		MUST(fz.n_sent < 16 || fz.now - fz.sent[fz.n_sent % 16] >= 10000);
		fz.sent[fz.n_sent++ % 16] = fz.now;
	}
	MUST(fz.w.order != ORDER_DROP || fz.applied);
	if (fz.w.order)
		fz.applied = fz.w.order == ORDER_APPLY;
	MUST(fz.applied == fz.m.holding);
	if (fz.m.holding)
		MUST(fz.now < fz.m.until && !terms_check(&fz.m.held));
	MUST((unsigned)fz.m.state < N_LEASE_STATES && lease_next(&fz.m) >= 0);
}

/* As far as the machine wants to be woken before `to`. */
static void sleep_until(msec_t to)
{
	for (int i = 0; i < 10000 && lease_next(&fz.m) <= to; i++) {
		if (lease_next(&fz.m) > fz.now)
			fz.now = lease_next(&fz.m);
		lease_time(&fz.m, fz.now, &fz.w);
		look();
	}
	/* It does not want to be woken for ever at one moment. */
	MUST(lease_next(&fz.m) > fz.now || lease_next(&fz.m) > to);
	if (to > fz.now)
		fz.now = to;
	lease_time(&fz.m, fz.now, &fz.w);
	look();
}

static void message(uint8_t type, uint8_t bits, const uint8_t *options, size_t n)
{
	struct reply r;
	struct dhcp d;

	reply_begin(&r, type, fz.m.xid + (bits & 1), fz.m.mac, type == DHCP_NAK ? 0 : YOURS + (bits >> 1 & 3), SERVER + (bits >> 3 & 1));
	if (!(bits & 16))
		reply_option_u32(&r, 51, 5u + bits);
	if (!(bits & 32))
		reply_option_u32(&r, 1, 0xffffff00);
	memcpy(r.bytes + r.n, options, n);
	r.n += n;
	reply_end(&r);
	if (wire_dhcp(r.bytes, r.n, &d) != WIRE_SOUND)
		return;
	(void)lease_heard(&fz.m, fz.now, &d, &fz.w);
	look();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	memset(&fz, 0, sizeof(fz));
	fz.now = 100000;
	lease_begin(&fz.m, size, "box");
	for (size_t at = 0; at + 3 <= size;) {
		uint8_t what = data[at], a = data[at + 1], b = data[at + 2];
		struct arp arp = { .reply = a & 1, .mac = { 4 }, .from = a & 2 ? YOURS : 0, .to = a & 4 ? YOURS : SERVER };
		size_t left = size - at - 3, n = 0;

		at += 3;
		switch (what % 8) {
		case 0:
			fz.link = a & 1;
			mac[5] = b % 3;
			lease_link(&fz.m, fz.now, fz.link, a & 2, mac, 1500, &fz.w);
			look();
			break;
		case 1:
			sleep_until(fz.now + a * 256 + b);
			break;
		case 2:
			sleep_until(fz.now + ((msec_t)a * 256 + b) * 100);
			break;
		case 3:
			/* Without looking up, as in a sleep. */
			fz.now += ((msec_t)a * 256 + b) * 1000;
			break;
		case 4:
			lease_heard_arp(&fz.m, fz.now, &arp, &fz.w);
			look();
			break;
		case 5:
			if (a == 77) {
				lease_stop(&fz.m, fz.now, b & 1, &fz.w);
				look();
				return 0;
			}
			break;
		default:
			if (left && b > 128)
				n = data[at] < left ? data[at] : left - 1;
			message(what % 8 == 6 ? a % 10 : a & 1 ? DHCP_ACK : DHCP_OFFER, b, data + at + (n > 0), n);
			at += n ? n + 1 : 0;
			break;
		}
	}
	return 0;
}

#ifdef FUZZ_SWEEP
#include "tests/fuzz/sweep.h"
#endif
