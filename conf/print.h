/* print.h - texts put out as they are, and into JSON and roff so that they come out as they went in. */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include <stdio.h>

/* printf, puts without a newline, putchar; what cannot be written shows in ferror(out). */
void print_fmt(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void print_text(FILE *out, const char *s);
void print_char(FILE *out, char c);

/* With its quotes; bytes that are no UTF-8 become U+FFFD. RFC 8259, section 7. */
void print_json(FILE *out, const char *s);

/* Safe in a line of mdoc(7), also as an argument of a macro. */
void print_roff(FILE *out, const char *s);

#endif
