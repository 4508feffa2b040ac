/* emit.c - the table of settings, written out for the manual and for tools. */
#include "conf/emit.h"

#include <string.h>

#include "conf/kinds.h"
#include "conf/print.h"
#include "conf/settings.h"

#define WIDTH 78

/* Text in lines of at most WIDTH where blanks allow it; each sentence begins a line, as mdoc(7) wants it. */
static void put_prose(FILE *out, const char *s)
{
	while (*s) {
		size_t n = 0, best = 0;
		char line[512];
		struct text t = TEXT(line);

		while ((n < WIDTH || !best) && s[n]) {
			n++;
			if (s[n] != ' ')
				continue;
			best = n;
			if (n && s[n - 1] == '.')
				break;
		}
		n = s[n] ? best : n;
		text_bytes(&t, s, n);
		print_roff(out, line);
		print_char(out, '\n');
		s += n;
		s += *s == ' ';
	}
}

static void put_values(FILE *out, const struct setting *s)
{
	char line[512];
	struct text t = TEXT(line);

	text_put(&t, "Value: ");
	text_put(&t, s->words ? "" : s->kind->syntax);
	for (size_t i = 0; s->words && s->words[i]; i++) {
		text_put(&t, !i ? "" : s->words[i + 1] ? ", " : " or ");
		text_put(&t, s->words[i]);
	}
	text_put(&t, s->flags & SET_LIST ? ". May be given several times." : ".");
	put_prose(out, line);
	if (s->flags & SET_DEFAULT && !section_is_house(s->section))
		print_fmt(out, "See also Default%s= in\n.Xr coppice.conf 5 .\n", s->name);
}

static void put_setting(FILE *out, const struct setting *s)
{
	char about[1024];
	struct text t = TEXT(about);

	print_text(out, ".It Cm ");
	print_roff(out, s->name);
	print_text(out, "=\n");
	if (*s->brief >= 'a' && *s->brief <= 'z')
		text_char(&t, (char)(*s->brief - 'a' + 'A'));
	else
		text_char(&t, *s->brief);
	text_put(&t, s->brief + 1);
	text_char(&t, '.');
	put_prose(out, about);
	if (s->about)
		put_prose(out, s->about);
	put_values(out, s);
	if (s->preset) {
		print_text(out, "Default:\n");
		for (const char *p = s->preset; *p;) {
			size_t n = strcspn(p, "\n");
			struct text one = TEXT(about);

			text_bytes(&one, p, n);
			print_text(out, ".Ql ");
			print_roff(out, about);
			p += n + (p[n] == '\n');
			print_text(out, *p ? " ,\n" : " .\n");
		}
	}
	print_text(out, "Example:\n.Dl ");
	print_roff(out, strchr(s->name, '*') ? "" : s->name);
	print_text(out, strchr(s->name, '*') ? "" : "=");
	print_roff(out, s->example);
	print_char(out, '\n');
}

static void put_aliases(FILE *out, enum section section)
{
	bool any = false;

	for (uint32_t i = 0; i < n_settings; i++) {
		const struct setting *s = &settings[i];

		if (s->section != section || !s->same || !strcmp(s->same, s->name))
			continue;
		if (!any)
			print_text(out, ".Pp\nOther names:\n.Bl -tag -width Ds\n");
		any = true;
		print_fmt(out, ".It Cm %s=\nThe same as\n.Cm %s= .\n", s->name, s->same);
	}
	if (any)
		print_text(out, ".El\n");
}

void emit_manual(FILE *out, bool house)
{
	for (int section = 0; section < N_SECTIONS; section++) {
		bool any = false;

		for (uint32_t i = 0; i < n_settings; i++) {
			const struct setting *s = &settings[i];

			if (s->section != section || s->same ||
			    section_is_house((enum section)section) != house)
				continue;
			if (!any)
				print_fmt(out, ".Ss [%s]\n.Bl -tag -width Ds\n",
					  section_name((enum section)section));
			any = true;
			put_setting(out, s);
		}
		if (!any)
			continue;
		print_text(out, ".El\n");
		put_aliases(out, (enum section)section);
	}
}

void emit_list(FILE *out)
{
	for (uint32_t i = 0; i < n_settings; i++)
		print_fmt(out, "%s %s %s\n", section_name(settings[i].section), settings[i].name,
			  settings[i].same ? settings[i].same : settings[i].kind->word);
}
