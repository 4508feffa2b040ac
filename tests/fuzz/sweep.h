/*
 * sweep.h - a main for a fuzz target where there is no libFuzzer: replays the corpus, then a fixed
 * series of truncations, mutations and splices of it. The same inputs in every run and on every
 * machine; three seconds are the cap for slow ones.
 *
 * The corpus is tests/fuzz/corpus/NAME/, the dictionary tests/fuzz/NAME.dict (libFuzzer's format), NAME
 * the program's. What an input did that killed the program is told as stage and round; run
 * the program with these two as arguments to get the input on stdout.
 */
#ifndef TESTS_FUZZ_SWEEP_H
#define TESTS_FUZZ_SWEEP_H

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/tap.h"

#define SWEEP_MUTATIONS 30000
#define SWEEP_SECONDS   3
#define SWEEP_INPUTS    2000
#define SWEEP_WORDS     1000
#define SWEEP_SIZE      (64u << 10)

struct sweep_piece { char *at; size_t n; };

static struct sweep_piece sweep_inputs[SWEEP_INPUTS], sweep_words[SWEEP_WORDS];
static size_t sweep_n_inputs, sweep_n_words;
static volatile int sweep_stage, sweep_round;
static uint64_t sweep_state;

/* SplitMix64, S. Vigna: small, and the same everywhere. */
static uint64_t sweep_random(void)
{
	uint64_t z = sweep_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static size_t sweep_below(size_t n)
{
	return n ? (size_t)(sweep_random() % n) : 0;
}

static void sweep_died(void)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "# died in stage %d, round %d\n", sweep_stage, sweep_round);

	(void)!write(STDOUT_FILENO, line, (size_t)n);
}

static void sweep_signal(int sig)
{
	sweep_died();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Present in sanitized builds only. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static int sweep_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sweep_keep(struct sweep_piece *list, size_t *n, size_t most, const char *at, size_t size)
{
	char *copy = *n < most ? malloc(size + 1) : NULL;

	if (!copy)
		return;
	memcpy(copy, at, size);
	list[(*n)++] = (struct sweep_piece){ copy, size };
}

static void sweep_read_corpus(const char *dir)
{
	DIR *d = opendir(dir);
	char *names[SWEEP_INPUTS], path[1024];
	static char block[SWEEP_SIZE];
	size_t n = 0;

	for (const struct dirent *e; d && n < SWEEP_INPUTS && (e = readdir(d));)
		if (e->d_name[0] != '.' && (names[n] = strdup(e->d_name)))
			n++;
	if (d)
		closedir(d);
	qsort(names, n, sizeof(*names), sweep_compare);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		FILE *f = fopen(path, "rb");

		if (f) {
			sweep_keep(sweep_inputs, &sweep_n_inputs, SWEEP_INPUTS, block, fread(block, 1, sizeof(block), f));
			fclose(f);
		}
		free(names[i]);
	}
}

/* name="text", with \xNN, \\ and \" in the text. */
static void sweep_read_words(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024], word[1024];

	while (f && fgets(line, sizeof(line), f)) {
		char *s = line[0] == '#' ? NULL : strchr(line, '"');
		size_t n = 0;

		for (s = s ? s + 1 : NULL; s && *s && *s != '"'; s++) {
			unsigned byte;

			if (*s == '\\' && s[1] == 'x' && sscanf(s + 2, "%2x", &byte) == 1) {
				word[n++] = (char)byte;
				s += 3;
			} else {
				s += *s == '\\' && s[1];
				word[n++] = *s;
			}
		}
		if (n)
			sweep_keep(sweep_words, &sweep_n_words, SWEEP_WORDS, word, n);
	}
	if (f)
		fclose(f);
}

/* An allocation of exactly that size, so that a sanitizer sees the first byte too far. */
static void sweep_run(const char *at, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);

	if (!exact)
		return;
	memcpy(exact, at, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

/* Replaces n bytes at `from` by a piece. */
static void sweep_splice(char *b, size_t *size, size_t from, size_t n, const char *piece, size_t n_piece)
{
	if (*size - n + n_piece > SWEEP_SIZE)
		return;
	memmove(b + from + n_piece, b + from + n, *size - from - n);
	memcpy(b + from, piece, n_piece);
	*size = *size - n + n_piece;
}

static size_t sweep_mutate(char *b, int round)
{
	sweep_state = (uint64_t)round * 0x2545f4914f6cdd1du + 1;

	const struct sweep_piece *base = &sweep_inputs[sweep_below(sweep_n_inputs)];
	size_t size = base->n;

	memcpy(b, base->at, size);
	for (size_t times = 1 + sweep_below(6); times; times--) {
		size_t at = sweep_below(size + 1), n = sweep_below(size - at + 1 < 32 ? size - at + 1 : 32);
		const struct sweep_piece *other = &sweep_inputs[sweep_below(sweep_n_inputs)];
		const struct sweep_piece *word = sweep_n_words ? &sweep_words[sweep_below(sweep_n_words)] : other;
		size_t from = sweep_below(other->n);
		char byte = (char)sweep_random();

		switch (sweep_below(7)) {
		case 0: if (at < size) b[at] = (char)(b[at] ^ 1 << sweep_below(8)); break;
		case 1: if (at < size) b[at] = byte; break;
		case 2: sweep_splice(b, &size, at, n, "", 0); break;
		case 3: sweep_splice(b, &size, at, 0, &byte, 1); break;
		case 4: sweep_splice(b, &size, at, n, other->at + from, sweep_below(other->n - from + 1)); break;
		default: sweep_splice(b, &size, at, sweep_below(2) ? n : 0, word->at, word->n); break;
		}
	}
	return size;
}

/* The input of one round of one stage, 0 where there is none. */
static bool sweep_input(int stage, int round, char *b, size_t *size)
{
	if (stage == 3) {
		*size = sweep_mutate(b, round);
		return true;
	}
	/* Stage 1 is the corpus, stage 2 each of its beginnings: round is input * 1000 + length, spread over long ones. */
	const struct sweep_piece *p = &sweep_inputs[stage == 1 ? round : round / 1000];
	size_t cut = (size_t)(round % 1000);

	*size = stage == 1 ? p->n : p->n > 1000 ? p->n * cut / 1000 : cut;
	if (*size > p->n)
		return false;
	memcpy(b, p->at, *size);
	return true;
}

int main(int argc, char **argv)
{
	static const char *const stages[] = { "", "corpus", "truncations", "mutations" };
	static char b[2 * SWEEP_SIZE];
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	char path[1024];
	size_t size;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", name);
	sweep_read_corpus(path);
	if (!sweep_n_inputs)
		sweep_keep(sweep_inputs, &sweep_n_inputs, SWEEP_INPUTS, "", 0);
	snprintf(path, sizeof(path), "tests/fuzz/%s.dict", name);
	sweep_read_words(path);
	if (argc == 3) {
		if (sweep_input(atoi(argv[1]), atoi(argv[2]), b, &size))
			fwrite(b, 1, size, stdout);
		return 0;
	}
	/* A sanitizer looks after its own signals, and leaves abort() to us. */
	signal(SIGABRT, sweep_signal);
	if (&__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(sweep_died);
	else
		for (size_t i = 0; i < 3; i++)
			signal((const int[]){ SIGSEGV, SIGBUS, SIGFPE }[i], sweep_signal);

	struct timespec start, now;

	/* Our own time: on a busy machine a sweep takes longer and does as much. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (sweep_stage = 1; sweep_stage <= 3; sweep_stage++) {
		int rounds = sweep_stage == 1 ? (int)sweep_n_inputs : sweep_stage == 2 ? (int)sweep_n_inputs * 1000 : SWEEP_MUTATIONS;
		int done = 0;

		for (sweep_round = 0; sweep_round < rounds; sweep_round++) {
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
			if (now.tv_sec - start.tv_sec >= SWEEP_SECONDS)
				break;
			if (!sweep_input(sweep_stage, sweep_round, b, &size))
				continue;
			sweep_run(b, size);
			done++;
		}
		CHECK(done, "%s: %d inputs", stages[sweep_stage], done);
	}
	return tap_done();
}

#endif
