/* print.c - texts put out as they are, and into JSON and roff so that they come out as they went in. */
#include "conf/print.h"

#include <stdarg.h>
#include <string.h>

#include "conf/kit/text.h"

void print_fmt(FILE *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(out, fmt, ap);
	va_end(ap);
}

void print_text(FILE *out, const char *s)
{
	(void)fputs(s, out);
}

void print_char(FILE *out, char c)
{
	(void)fputc(c, out);
}

void print_json(FILE *out, const char *s)
{
	size_t left = strlen(s);

	print_char(out, '"');
	while (left) {
		unsigned char c = (unsigned char)*s;
		size_t n = text_utf8(s, left);

		if (!n)
			print_text(out, "\\ufffd");
		else if (c == '"' || c == '\\')
			print_fmt(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			print_fmt(out, "\\u%04x", c);
		else
			(void)fwrite(s, 1, n, out);
		s += n ? n : 1;
		left -= n ? n : 1;
	}
	print_char(out, '"');
}

void print_roff(FILE *out, const char *s)
{
	/* A macro's name, or a line that begins with a dot or quote, must not be taken for a request. */
	if (*s == '.' || *s == '\'')
		print_text(out, "\\&");
	for (; *s; s++) {
		if (*s == '\\')
			print_text(out, "\\e");
		else if (*s == '-')
			print_text(out, "\\-");
		else if (*s == '"')
			print_text(out, "\\(dq");
		else if (*s == '\'')
			print_text(out, "\\(aq");
		else if (*s == '`')
			print_text(out, "\\(ga");
		else if (*s == '~')
			print_text(out, "\\(ti");
		else if (*s == '^')
			print_text(out, "\\(ha");
		else
			print_char(out, *s);
	}
}
