/* wire.c - IPv4, UDP and ARP headers and their checksums; pure. */
#include "init/net/wire.h"

#include <string.h>

#include "init/net/bytes.h"

#define IP_HEADER  20u
#define UDP_HEADER 8u

static const char *const fault_words[N_WIRE_FAULTS] = {
	[WIRE_SOUND]     = "nothing",
	[WIRE_SHORT]     = "cut short",
	[WIRE_NOT_IP]    = "no IPv4 packet",
	[WIRE_IP_SUM]    = "a wrong IP checksum",
	[WIRE_FRAGMENT]  = "a fragment",
	[WIRE_NOT_UDP]   = "not UDP",
	[WIRE_PORT]      = "another port",
	[WIRE_UDP_SUM]   = "a wrong UDP checksum",
	[WIRE_NOT_REPLY] = "not a reply",
	[WIRE_HARDWARE]  = "not for Ethernet",
	[WIRE_COOKIE]    = "no DHCP cookie",
	[WIRE_OPTIONS]   = "malformed options",
	[WIRE_TYPE]      = "no sound type, server or lease time",
};

const char *wire_words(enum wire_fault f)
{
	return (unsigned)f < N_WIRE_FAULTS ? fault_words[f] : "?";
}

/* The Internet checksum's sum, RFC 1071, not yet folded. */
static uint32_t sum_of(const uint8_t *p, size_t n, uint32_t sum)
{
	for (; n > 1; p += 2, n -= 2)
		sum += get16(p);
	return n ? sum + ((uint32_t)*p << 8) : sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* `ip` is the IP header: its addresses count, as do the protocol and UDP's length. */
static uint16_t udp_sum(const uint8_t *ip, const uint8_t *udp, size_t n)
{
	return folded(sum_of(udp, n, sum_of(ip + 12, 8, 17 + (uint32_t)n)));
}

enum wire_fault wire_udp(const uint8_t *at, size_t n, bool sums, const uint8_t **payload, size_t *size)
{
	if (n < IP_HEADER)
		return WIRE_SHORT;
	size_t head = (size_t)(at[0] & 15) * 4, total = get16(at + 2);
	if (at[0] >> 4 != 4 || head < IP_HEADER)
		return WIRE_NOT_IP;
	/* Ethernet pads short packets: what comes behind `total` is nobody's. */
	if (total > n || total < head + UDP_HEADER)
		return WIRE_SHORT;
	if (folded(sum_of(at, head, 0)))
		return WIRE_IP_SUM;
	if (get16(at + 6) & 0x3fff)
		return WIRE_FRAGMENT;
	if (at[9] != 17)
		return WIRE_NOT_UDP;
	const uint8_t *udp = at + head;
	size_t length = get16(udp + 4);
	if (get16(udp) != DHCP_SERVER_PORT || get16(udp + 2) != DHCP_CLIENT_PORT)
		return WIRE_PORT;
	if (length < UDP_HEADER || length > total - head)
		return WIRE_SHORT;
	if (sums && get16(udp + 6) && udp_sum(at, udp, length))
		return WIRE_UDP_SUM;
	*payload = udp + UDP_HEADER;
	*size = length - UDP_HEADER;
	return WIRE_SOUND;
}

size_t wire_put_udp(uint8_t *out, ip4_t from, ip4_t to, size_t size)
{
	size_t total = WIRE_UDP + size;
	uint8_t *udp = out + IP_HEADER;

	memset(out, 0, WIRE_UDP);
	out[0] = 0x45;
	out[1] = 0xc0; /* network control, as routers send their own */
	put16(out + 2, (uint16_t)total);
	out[8] = 64;
	out[9] = 17;
	put32(out + 12, from);
	put32(out + 16, to);
	put16(out + 10, folded(sum_of(out, IP_HEADER, 0)));
	put16(udp, DHCP_CLIENT_PORT);
	put16(udp + 2, DHCP_SERVER_PORT);
	put16(udp + 4, (uint16_t)(UDP_HEADER + size));
	uint16_t sum = udp_sum(out, udp, UDP_HEADER + size);
	put16(udp + 6, sum ? sum : 0xffff); /* 0 would say that there is none */
	return total;
}

/* Hardware Ethernet, protocol IPv4, lengths 6 and 4. */
static const uint8_t arp_head[6] = { 0, 1, 8, 0, 6, 4 };

bool wire_arp(const uint8_t *at, size_t n, struct arp *ret)
{
	if (n < WIRE_ARP || memcmp(at, arp_head, sizeof(arp_head)) != 0 || at[6] || at[7] < 1 || at[7] > 2)
		return false;
	ret->reply = at[7] == 2;
	memcpy(ret->mac, at + 8, 6);
	ret->from = get32(at + 14);
	ret->to = get32(at + 24);
	return true;
}

void wire_put_arp(uint8_t out[WIRE_ARP], const uint8_t mac[6], ip4_t from, ip4_t to)
{
	memset(out, 0, WIRE_ARP);
	memcpy(out, arp_head, sizeof(arp_head));
	out[7] = 1;
	memcpy(out + 8, mac, 6);
	put32(out + 14, from);
	put32(out + 24, to);
}
