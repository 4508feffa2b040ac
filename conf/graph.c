/* graph.c - cycles and ranks of a set of edges, without recursion; pure. */
#include "conf/graph.h"

#include <errno.h>
#include <stdbool.h>

/* R. Tarjan, "Depth-first search and linear graph algorithms", 1972, with a stack of our own in place of recursion. */
struct walk {
	uint32_t *seen, *low;    /* order of visit from 1; the earliest reachable */
	uint32_t *path, n_path;  /* nodes being visited */
	uint32_t *edge;          /* which edge of each is next */
	uint32_t *open, n_open;  /* nodes whose knot is not complete */
	uint32_t *is_open;
};

static bool has_edge(const struct graph *g, uint32_t from, uint32_t to)
{
	for (uint32_t e = g->first[from]; e < g->first[from + 1]; e++)
		if (g->to[e] == to)
			return true;
	return false;
}

/* The knot above `root` on the open stack is complete: everything it leads to is ranked already. */
static void close_knot(const struct graph *g, struct walk *w, uint32_t root, uint32_t *rank, uint32_t *cycle,
		       uint32_t *knots)
{
	uint32_t start = w->n_open, deepest = 0;

	do
		start--;
	while (w->open[start] != root);

	uint32_t size = w->n_open - start;
	uint32_t knot = size > 1 || has_edge(g, root, root) ? ++*knots : 0;

	for (uint32_t i = start; i < w->n_open; i++)
		for (uint32_t e = g->first[w->open[i]]; e < g->first[w->open[i] + 1]; e++)
			if (!w->is_open[g->to[e]] && rank[g->to[e]] + 1 > deepest)
				deepest = rank[g->to[e]] + 1;
	for (uint32_t i = start; i < w->n_open; i++) {
		rank[w->open[i]] = deepest;
		cycle[w->open[i]] = knot;
	}
	while (w->n_open > start)
		w->is_open[w->open[--w->n_open]] = 0;
}

static void visit(const struct graph *g, struct walk *w, uint32_t from, uint32_t *order, uint32_t *rank,
		  uint32_t *cycle, uint32_t *knots)
{
	w->path[w->n_path++] = from;
	while (w->n_path) {
		uint32_t at = w->path[w->n_path - 1];

		if (!w->seen[at]) {
			w->seen[at] = w->low[at] = ++*order;
			w->edge[at] = g->first[at];
			w->open[w->n_open++] = at;
			w->is_open[at] = 1;
		}
		if (w->edge[at] < g->first[at + 1]) {
			uint32_t to = g->to[w->edge[at]];

			if (!w->seen[to]) {
				w->path[w->n_path++] = to;
				continue;
			}
			/* Also after the return from a visit: the edge is looked at a second time. */
			if (w->is_open[to] && w->low[to] < w->low[at])
				w->low[at] = w->low[to];
			w->edge[at]++;
			continue;
		}
		w->n_path--;
		if (w->low[at] == w->seen[at])
			close_knot(g, w, at, rank, cycle, knots);
	}
}

int graph_sort(const struct graph *g, struct arena *a, uint32_t *rank, uint32_t *cycle)
{
	size_t n = g->n ? g->n : 1;
	uint32_t *memory = arena_get(a, n * 6 * sizeof(*memory));
	uint32_t order = 0, knots = 0;

	if (!memory)
		return -ENOMEM;

	struct walk w = { .seen = memory, .low = memory + n, .path = memory + 2 * n, .edge = memory + 3 * n,
			  .open = memory + 4 * n, .is_open = memory + 5 * n };

	for (uint32_t i = 0; i < g->n; i++)
		if (!w.seen[i])
			visit(g, &w, i, &order, rank, cycle, &knots);
	return (int)knots;
}

int graph_cycle(const struct graph *g, struct arena *a, const uint32_t *cycle, uint32_t node, uint32_t *ret, uint32_t most)
{
	size_t n = g->n ? g->n : 1;
	uint32_t *memory = arena_get(a, n * 2 * sizeof(*memory));
	uint32_t *from = memory, *queue = memory ? memory + n : NULL, head = 0, tail = 0, last = g->n;

	if (!memory)
		return -ENOMEM;
	queue[tail++] = node;
	while (head < tail && last == g->n) {
		uint32_t at = queue[head++];

		for (uint32_t e = g->first[at]; e < g->first[at + 1]; e++) {
			uint32_t to = g->to[e];

			if (to == node) {
				last = at;
				break;
			}
			if (cycle[to] == cycle[node] && !from[to]) {
				from[to] = at + 1;
				queue[tail++] = to;
			}
		}
	}
	uint32_t length = last == g->n ? 0 : 1;

	for (uint32_t at = last; length && at != node; at = from[at] - 1)
		length++;
	/* Backwards from the last, each into its place from the front. */
	for (uint32_t at = last, place = length; place; at = from[at] - 1)
		if (--place < most)
			ret[place] = at;
	return (int)length;
}
