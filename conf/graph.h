/* graph.h - cycles and ranks of a set of edges, without recursion; pure. */
#ifndef CONF_GRAPH_H
#define CONF_GRAPH_H

#include <stdint.h>

#include "conf/kit/arena.h"

/* Edges of node i are to[first[i]] up to to[first[i + 1] - 1]: whom it comes after. */
struct graph {
	uint32_t n;
	const uint32_t *first, *to;
};

/*
 * Tells for each node its rank, 0 where it comes after nobody, else one more than
 * the largest of those it comes after; and in cycle[i] a number for the knot of
 * nodes that come after each other, 0 where it is in none. Ranks of a knot count
 * it as one node. How many knots there are, or -ENOMEM. It works in the arena.
 */
int graph_sort(const struct graph *g, struct arena *a, uint32_t *rank, uint32_t *cycle);

/*
 * A shortest way from `node` back to itself inside its knot: writes up to `most`
 * nodes, `node` first; returns how many it has in all, or -ENOMEM.
 */
int graph_cycle(const struct graph *g, struct arena *a, const uint32_t *cycle, uint32_t node, uint32_t *ret, uint32_t most);

#endif
