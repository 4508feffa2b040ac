/* graph.c - ranks and cycles, of small graphs by hand and of random ones against slow and simple reasoning. */
#include "conf/graph.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

#define MOST 9

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

/* Who can be reached from whom, by trying long enough. */
static void reach_all(uint32_t n, bool edge[MOST][MOST], bool reach[MOST][MOST])
{
	memcpy(reach, edge, sizeof(bool[MOST][MOST]));
	for (uint32_t k = 0; k < n; k++)
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t j = 0; j < n; j++)
				reach[i][j] |= reach[i][k] && reach[k][j];
}

static bool agrees(uint32_t n, bool edge[MOST][MOST])
{
	uint32_t first[MOST + 1], to[MOST * MOST], rank[MOST] = { 0 }, cycle[MOST] = { 0 }, n_to = 0;
	bool reach[MOST][MOST], good = true;

	for (uint32_t i = 0; i < n; i++) {
		first[i] = n_to;
		for (uint32_t j = 0; j < n; j++)
			if (edge[i][j])
				to[n_to++] = j;
	}
	first[n] = n_to;
	reach_all(n, edge, reach);

	const struct graph g = { .n = n, .first = first, .to = to };
	struct arena a = { 0 };
	int knots = graph_sort(&g, &a, rank, cycle), seen = 0;

	for (uint32_t i = 0; i < n; i++) {
		bool deeper = rank[i] == 0;

		good &= (cycle[i] != 0) == reach[i][i];
		for (uint32_t j = 0; j < n; j++) {
			bool together = reach[i][j] && reach[j][i];

			good &= i == j || together == (cycle[i] && cycle[i] == cycle[j]);
			if (edge[i][j] && !together)
				good &= rank[i] > rank[j];
			if (together)
				good &= rank[i] == rank[j];
			/* A rank is not larger than it must be: somebody of the knot comes after one of the rank below. */
			for (uint32_t k = 0; k < n; k++)
				deeper |= (i == k || (reach[i][k] &&
						      reach[k][i])) && edge[k][j] && rank[j] + 1 == rank[i];
		}
		good &= deeper;
		seen = (int)cycle[i] > seen ? (int)cycle[i] : seen;
		if (!cycle[i])
			continue;

		uint32_t path[MOST];
		int length = graph_cycle(&g, &a, cycle, i, path, MOST);

		good &= length >= 1 && length <= (int)n && path[0] == i;
		for (int k = 0; good && k < length; k++)
			good &= edge[path[k]][path[(k + 1) % length]];
	}
	arena_free(&a);
	return good && knots == seen;
}

int main(void)
{
	bool edge[MOST][MOST] = { { false } };
	int good = 0, rounds = 20000;

	CHECK(agrees(0, edge), "no nodes");
	CHECK(agrees(1, edge), "one node");
	edge[0][0] = true;
	CHECK(agrees(1, edge), "one that comes after itself");
	for (int round = 0; round < rounds; round++) {
		uint32_t n = 1 + draw(MOST), density = 1 + draw(20);

		memset(edge, 0, sizeof(edge));
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t j = 0; j < n; j++)
				edge[i][j] = draw(20) < density && draw(3) == 0;
		good += agrees(n, edge);
	}
	CHECK(good == rounds, "%d of %d random graphs agree with the slow way", good, rounds);

	/* A chain longer than any stack would bear. */
	uint32_t n = 65536, *memory = calloc(4 * (size_t)n + 1, sizeof(*memory));
	struct graph chain = { .n = n, .first = memory, .to = memory + n + 1 };

	for (uint32_t i = 0; i < n; i++) {
		memory[i + 1] = i + 1 < n ? i + 1 : i;
		memory[n + 1 + i] = i + 1;
	}
	struct arena a = { 0 };
	CHECK(graph_sort(&chain, &a, memory + 2 * (size_t)n + 1, memory + 3 * (size_t)n + 1) == 0,
	      "a chain of %u has no cycle", n);
	CHECK(memory[2 * (size_t)n + 1] == n - 1, "and its first has rank %u", memory[2 * (size_t)n + 1]);
	arena_free(&a);
	free(memory);
	return tap_done();
}
