/* print.h - texts put into JSON and roff, so that they come out as they went in. */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include <stdio.h>

/* With its quotes; bytes that are no UTF-8 become U+FFFD. RFC 8259, section 7. */
void print_json(FILE *out, const char *s);

/* Safe in a line of mdoc(7), also as an argument of a macro. */
void print_roff(FILE *out, const char *s);

#endif
