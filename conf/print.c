/* print.c - texts put into JSON and roff, so that they come out as they went in. */
#include "conf/print.h"

#include <string.h>

#include "conf/kit/text.h"

void print_json(FILE *out, const char *s)
{
	size_t left = strlen(s);

	fputc('"', out);
	while (left) {
		unsigned char c = (unsigned char)*s;
		size_t n = text_utf8(s, left);

		if (!n)
			fputs("\\ufffd", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fwrite(s, 1, n, out);
		s += n ? n : 1;
		left -= n ? n : 1;
	}
	fputc('"', out);
}

void print_roff(FILE *out, const char *s)
{
	/* A macro's name, or a line that begins with a dot or quote, must not be taken for a request. */
	if (*s == '.' || *s == '\'')
		fputs("\\&", out);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", out);
		else if (*s == '-')
			fputs("\\-", out);
		else if (*s == '"')
			fputs("\\(dq", out);
		else if (*s == '\'')
			fputs("\\(aq", out);
		else if (*s == '`')
			fputs("\\(ga", out);
		else if (*s == '~')
			fputs("\\(ti", out);
		else if (*s == '^')
			fputs("\\(ha", out);
		else
			fputc(*s, out);
	}
}
