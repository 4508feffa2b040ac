/* findings.c - what the user can mend: a bounded list of messages with file and line; pure. */
#include "conf/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_mark(struct findings *fs)
{
	fs->first[0] = '\0';
}

void finding_put(struct text *t, const struct finding *f)
{
	text_shown(t, f->file, strlen(f->file), 256);
	if (f->line) {
		text_char(t, ':');
		text_num(t, f->line);
	}
	text_put(t, ": ");
	text_put(t, f->text);
}

void finding_add(struct findings *fs, enum level level, const char *file, uint32_t line, const char *fmt, ...)
{
	char raw[MAX_FINDING], shown[MAX_FINDING];
	struct text t = TEXT(shown);
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_shown(&t, raw, n < 0 ? 0 : strlen(raw), sizeof(raw));
	shown[t.len] = '\0';

	struct finding f = { .file = file, .text = shown, .line = line, .level = level };

	*(level == SAY_ERROR ? &fs->errors : &fs->warnings) += 1;
	if (level == SAY_ERROR && !fs->first[0]) {
		struct text first = TEXT(fs->first);

		finding_put(&first, &f);
	}
	if (fs->n == fs->room && fs->room < MAX_FINDINGS) {
		uint32_t room = fs->room ? fs->room * 2 : 16;
		struct finding *more = realloc(fs->at, room * sizeof(*more));

		if (more) {
			fs->at = more;
			fs->room = room;
		}
	}
	char *copy = fs->n < fs->room && fs->n < MAX_FINDINGS ? malloc(t.len + strlen(file) + 2) : NULL;

	if (!copy) {
		fs->left_out++;
		return;
	}
	memcpy(copy, shown, t.len + 1);
	memcpy(copy + t.len + 1, file, strlen(file) + 1);
	f.text = copy;
	f.file = copy + t.len + 1;
	fs->at[fs->n++] = f;
}

static int compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (!order)
		order = (x->line > y->line) - (x->line < y->line);
	return order ? order : strcmp(x->text, y->text);
}

void findings_sort(struct findings *fs)
{
	if (fs->n)
		qsort(fs->at, fs->n, sizeof(*fs->at), compare);
}

void findings_free(struct findings *fs)
{
	for (uint32_t i = 0; i < fs->n; i++)
		free((void *)(uintptr_t)fs->at[i].text);
	free(fs->at);
	*fs = (struct findings){ 0 };
}
