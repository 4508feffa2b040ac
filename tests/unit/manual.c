/*
 * manual.c - the manual says what the tables say: generated sections are current, and what the rest names exists.
 *
 * build/tests/unit/manual --write puts what the tables say now into the pages.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conf/emit.h"
#include "conf/print.h"
#include "conf/settings.h"
#include "conf/values.h"
#include "health/probe.h"
#include "init/boot.h"
#include "init/cli/cli.h"
#include "init/container.h"
#include "init/control/methods.h"
#include "init/pid1.h"
#include "init/shim_options.h"
#include "init/signals.h"
#include "supervise/child.h"
#include "supervise/why.h"
#include "tests/lib/tap.h"
#include "tests/lib/units.h"

#define MOST (1u << 20)

/* ---- what the tables say, as mdoc(7) ---- */

static void begin(FILE *out)
{
	print_text(out, ".Bl -tag -width Ds\n");
}

static void end(FILE *out)
{
	print_text(out, ".El\n");
}

/* Half a sentence becomes a whole one. */
static void put_sentence(FILE *out, const char *s)
{
	char first[2] = { *s, '\0' };

	if (*first >= 'a' && *first <= 'z')
		*first = (char)(*first - 'a' + 'A');
	print_roff(out, *s ? first : "");
	print_roff(out, *s ? s + 1 : "");
	print_text(out, ".\n");
}

/* "UNIT [COMMAND...]": blanks part the arguments, brackets hold what may be left out. */
static void put_arguments(FILE *out, const char *s)
{
	char word[64];

	for (size_t n; *s; s += n + (s[n] == ' ')) {
		n = strcspn(s, " ");
		bool optional = *s == '[';

		snprintf(word, sizeof(word), "%.*s", (int)n - 2 * optional, s + optional);
		print_text(out, optional ? " Op Ar " : " Ar ");
		print_roff(out, word);
	}
}

static void put_verbs(FILE *out)
{
	const struct verb *v;

	begin(out);
	for (size_t i = 0; (v = cli_verb(i)); i++) {
		const char *before = "Takes";

		print_text(out, ".It Cm ");
		print_roff(out, v->name);
		put_arguments(out, v->arguments);
		print_char(out, '\n');
		put_sentence(out, v->brief);
		for (size_t o = 0; cli_option(o); o++) {
			/* Those of nearly all verbs are told once. */
			if (o == OPT_SOCKET || o == OPT_JSON || !(v->options & OPT(o)))
				continue;
			print_fmt(out, "%s\n.Fl Fl %s", before, cli_option(o)->name);
			before = " ,";
		}
		print_text(out, *before == ' ' ? " .\n" : "");
	}
	end(out);
}

static bool takes(const struct verb *v, size_t o)
{
	return v->options & OPT(o) && *v->name;
}

static void put_options(FILE *out)
{
	const struct option_words *w;
	const struct verb *v;

	begin(out);
	for (size_t o = 0; (w = cli_option(o)); o++) {
		print_text(out, ".It ");
		if (w->letter)
			print_fmt(out, "Fl %c , ", w->letter);
		print_fmt(out, "Fl Fl %s", w->name);
		if (w->argument) {
			print_text(out, " Ns = Ns Ar ");
			print_roff(out, w->argument);
		}
		print_char(out, '\n');
		put_sentence(out, w->brief);
		if (o != OPT_JSON)
			continue;
		print_text(out, "All verbs take it but");
		const char *before = "";
		for (size_t i = 0; (v = cli_verb(i)); i++)
			if (!takes(v, o)) {
				print_fmt(out, "%s\n.Cm %s", before, v->name);
				before = " ,";
			}
		print_text(out, " .\n");
	}
	end(out);
}

static void put_init_options(FILE *out)
{
	const struct init_words *w;

	begin(out);
	for (size_t i = 0; (w = init_option(i)); i++) {
		print_fmt(out, ".It Fl Fl %s%s%s\n", w->name, w->argument ? " Ar " : "", w->argument ? w->argument : "");
		put_sentence(out, w->brief);
	}
	end(out);
}

static void put_shim_options(FILE *out)
{
	struct shim_words w;

	begin(out);
	for (size_t i = 0; shim_option(i, &w); i++) {
		print_fmt(out, ".It Fl %c%s%s\n", w.letter, w.value ? " Ar " : "", w.value ? w.value : "");
		put_sentence(out, w.brief);
	}
	end(out);
	print_text(out, "The names that make it a shim:\n");
	for (size_t i = 0; shim_name(i); i++)
		print_fmt(out, "%s.Nm %s", i ? " ,\n" : "", shim_name(i));
	print_text(out, " .\n");
}

static void put_boot(FILE *out)
{
	begin(out);
	for (uint32_t i = 0; i < n_boot_steps; i++) {
		print_text(out, ".It Cm ");
		print_roff(out, boot_steps[i].name);
		print_text(out, "\nReadies ");
		print_roff(out, boot_steps[i].brief);
		print_text(out, ".\nRefused: ");
		print_roff(out, boot_steps[i].refused);
		print_text(out, ".\n");
	}
	end(out);
}

static void put_signal(FILE *out, int sig)
{
	char name[32];
	struct text t = TEXT(name);

	name[0] = '\0';
	signal_put(&t, sig);
	print_text(out, ".It Dv ");
	print_roff(out, name);
	print_fmt(out, " Pq %d\n", sig);
}

static void put_signals(FILE *out)
{
	begin(out);
	for (int sig = 1; sig <= 64; sig++) {
		enum wish wish = signal_wish(NULL, CONTAINER_NONE, sig), lxc = signal_wish(NULL, CONTAINER_LXC, sig);

		if (!signal_sent_by(sig))
			continue;
		put_signal(out, sig);
		put_sentence(out, wish_word(wish));
		if (lxc != wish)
			print_fmt(out, "In LXC and systemd\\-nspawn: %s.\n", wish_word(lxc));
		print_text(out, "Sent by: ");
		print_roff(out, signal_sent_by(sig));
		print_text(out, ".\n");
	}
	end(out);
}

static void put_containers(FILE *out)
{
	print_text(out, ".Bl -column kubernetes 00s\n");
	for (int c = 0; c < N_CONTAINERS; c++)
		print_fmt(out, ".It %s Ta %llds\n", container_word((enum container)c), (long long)container_budget((enum container)c) / 1000);
	end(out);
}

static void put_methods(FILE *out)
{
	begin(out);
	for (size_t i = 0; i < N_METHODS; i++) {
		const struct method *m = &methods[i];

		print_text(out, ".It Cm ");
		print_roff(out, m->name);
		print_char(out, '\n');
		put_sentence(out, m->brief);
		if (m->right == RIGHT_ALL)
			print_text(out, "For root alone.\n");
		for (size_t k = 0; k < MAX_PARAMS && m->params[k].name; k++)
			print_fmt(out, "%s\n.Va %s\n.Pq %s%s%s", k ? "" : "Parameters:", m->params[k].name,
				  rpc_type_words((enum param_type)m->params[k].type), m->params[k].needed ? "; needed" : "",
				  k + 1 < MAX_PARAMS && m->params[k + 1].name ? " ," : " .\n");
	}
	end(out);
}

static void put_codes(FILE *out)
{
	const char *words;
	int code;

	print_text(out, ".Bl -column -32700 \"the container is stopping\" 0\n.It Sy code Ta Sy meaning Ta Sy status of the verb\n");
	for (size_t i = 0; rpc_code(i, &code, &words); i++)
		print_fmt(out, ".It \\-%d Ta %s Ta %d\n", -code, words, rpc_exit_status(code));
	end(out);
}

static void put_steps(FILE *out)
{
	print_text(out, ".Bl -column 000 CAPABILITIES CapabilityBoundingSet=\n.It Sy status Ta Sy step Ta Sy look at\n");
	for (int s = STEP_NONE + 1; s < N_STEPS; s++) {
		const char *setting = step_setting((enum step)s);

		print_fmt(out, ".It %d Ta %s Ta %s%s\n", step_status((enum step)s), step_word((enum step)s), setting, *setting ? "=" : "\\-");
	}
	end(out);
}

static void put_unit_settings(FILE *out)
{
	emit_manual(out, false);
}

static void put_house_settings(FILE *out)
{
	emit_manual(out, true);
}

/* ---- pages ---- */

static const char *const pages[] = { "man/coppice.8", "man/coppice.service.5", "man/coppice.conf.5" };
enum { TOOL, SERVICE, CONF, N_PAGES };

static const struct { int page; const char *source; void (*put)(FILE *out); } blocks[] = {
	{ TOOL, "init/options.c", put_init_options },
	{ TOOL, "init/shim_options.c", put_shim_options },
	{ TOOL, "init/boot.c", put_boot },
	{ TOOL, "init/signals.c", put_signals },
	{ TOOL, "init/container.c", put_containers },
	{ TOOL, "init/cli/cli.c, verbs", put_verbs },
	{ TOOL, "init/cli/cli.c, options", put_options },
	{ TOOL, "init/control/methods.c", put_methods },
	{ TOOL, "init/control/rpc.c", put_codes },
	{ SERVICE, "conf/settings.c", put_unit_settings },
	{ SERVICE, "supervise/child.c", put_steps },
	{ CONF, "conf/settings.c", put_house_settings },
};
#define N_BLOCKS (sizeof(blocks) / sizeof(*blocks))

/* To be freed; "" where there is none. */
static char *slurp(const char *path)
{
	char *text = calloc(1, MOST);
	FILE *f = fopen(path, "rb");

	if (!text)
		exit(1);
	if (f) {
		(void)!fread(text, 1, MOST - 1, f);
		fclose(f);
	}
	return text;
}

/* To be freed. */
static char *said_by(void (*put)(FILE *out))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		exit(1);
	put(out);
	fclose(out);
	return text;
}

/* Where the block's text lies in its page; *n bytes. NULL: it has no place there. */
static char *find_block(char *page, size_t i, size_t *n)
{
	char first[128], last[128];

	snprintf(first, sizeof(first), ".\\\" generated from %s: begin\n", blocks[i].source);
	snprintf(last, sizeof(last), ".\\\" generated from %s: end\n", blocks[i].source);
	char *from = strstr(page, first), *to = from ? strstr(from, last) : NULL;

	if (!to)
		return NULL;
	from += strlen(first);
	*n = (size_t)(to - from);
	return from;
}

static bool is_current(char *page, size_t i)
{
	char *now = said_by(blocks[i].put);
	size_t n = 0;
	const char *there = find_block(page, i, &n);
	bool same = there && strlen(now) == n && !memcmp(there, now, n);

	free(now);
	return same;
}

static int write_pages(void)
{
	for (size_t i = 0; i < N_BLOCKS; i++) {
		char *page = slurp(pages[blocks[i].page]), *now = said_by(blocks[i].put);
		size_t n;
		char *there = find_block(page, i, &n);
		FILE *f = there ? fopen(pages[blocks[i].page], "wb") : NULL;

		if (!f) {
			fprintf(stderr, "manual: %s has no place for what %s says\n", pages[blocks[i].page], blocks[i].source);
			return 1;
		}
		fprintf(f, "%.*s%s%s", (int)(there - page), page, now, there + n);
		if (fclose(f))
			return 1;
		free(page);
		free(now);
	}
	return 0;
}

static void test_blocks(void)
{
	for (size_t i = 0; i < N_BLOCKS; i++) {
		const char *name = pages[blocks[i].page];
		char *page = slurp(name);
		size_t n = 0;
		char *there = find_block(page, i, &n);

		CHECK(is_current(page, i), "%s says what %s says; if not: build/tests/unit/manual --write", name, blocks[i].source);
		/* One line less is seen. */
		char *line = there && n ? strchr(there, '\n') : NULL;
		if (line) {
			memmove(there, line + 1, strlen(line + 1) + 1);
			CHECK(!is_current(page, i), "%s: a line that is missing is missed", blocks[i].source);
		}
		free(page);
	}
}

/* ---- what is written by hand ---- */

/* A word such as "Restart" before "=": a setting of whatever file, or a default of one. */
static bool is_setting(const struct setting_index *ix, const char *name)
{
	for (int s = 0; s < N_SECTIONS; s++)
		if (s != IN_SYSCTL && settings_find(ix, (enum section)s, name) != NO_SETTING)
			return strncmp(name, "Default", 7) != 0 || !name[7] || settings_anywhere(name, true) != NO_SETTING ||
			       settings_anywhere(name + 7, false) != NO_SETTING;
	return false;
}

/* CamelCase before "=" is a setting; VARIABLES are not. */
static void test_settings_named(const char *path)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static struct setting_index ix;
	char *text = slurp(path);
	uint32_t seen = 0, unknown = 0;

	settings_index(&ix);
	for (char *at = text; (at = strchr(at, '=')); at++) {
		char *from = at, name[64];
		bool lower = false;

		while (from > text && strchr(letters, from[-1]))
			lower |= *--from >= 'a';
		if (from == at || *from < 'A' || *from > 'Z' || !lower || (from > text && strchr("_$<-/.", from[-1])))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(at - from), from);
		seen++;
		if (is_setting(&ix, name))
			continue;
		unknown++;
		printf("# %s: %s= is no setting\n", path, name);
	}
	CHECK(seen && !unknown, "%s names %u settings, and each of them exists", path, seen);
	free(text);
}

static bool is_verb(const char *word)
{
	for (size_t i = 0; cli_verb(i); i++)
		if (!strcmp(cli_verb(i)->name, word))
			return true;
	/* The roles that are no verbs; options may stand before a verb. */
	return !strcmp(word, "init") || *word == '-';
}

/* "coppice WORD" where a person would type it. */
static void test_verbs_named(const char *path, const char *before)
{
	char *text = slurp(path), typed[64];
	uint32_t seen = 0, unknown = 0;

	snprintf(typed, sizeof(typed), "%scoppice ", before);
	for (char *at = text; (at = strstr(at, typed)); at++) {
		char word[64];
		const char *s = at + strlen(typed);

		if (s[0] == '\\')
			s++;
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(s, " `\n\\"), s);
		seen++;
		if (is_verb(word))
			continue;
		unknown++;
		printf("# %s: \"%s\" is no verb\n", path, word);
	}
	CHECK(!unknown, "%s: what is typed after \"coppice\" are verbs, %u times", path, seen);
	free(text);
}

/* Each reason that status can give, said of the unit web, which needs db. */
static const struct { uint32_t code; int32_t a, b; } reasons[] = {
	{ WHY_MASKED, 0, 0 }, { WHY_NOT_STARTED, 0, 0 }, { WHY_BY_HAND, 0, 0 }, { WHY_SHUTDOWN, 0, 0 },
	{ WHY_NEEDS, 0, FACE_STARTING }, { WHY_ORDER, 0, 0 }, { WHY_BOUND, 0, 0 }, { WHY_REQUISITE, 0, 0 }, { WHY_CONFLICT, 0, 0 },
	{ WHY_SETUP, STEP_EXEC, ENOENT }, { WHY_SETUP, STEP_USER, ENOENT }, { WHY_EXIT, 3, 0 }, { WHY_SIGNAL, SIGSEGV, 1 },
	{ WHY_START_TIMEOUT, 0, 0 }, { WHY_STOP_TIMEOUT, 0, 0 }, { WHY_RUNTIME_MAX, 0, 0 }, { WHY_WATCHDOG, 0, 0 },
	{ WHY_COMMAND, PHASE_PRE, 2 }, { WHY_CONDITION, 0, 0 }, { WHY_SICK, 3, DETAIL(DETAIL_CONNECT, ECONNREFUSED) },
	{ WHY_START_LIMIT, 5, 10000 }, { WHY_FORK, 0, EAGAIN }, { WHY_NO_READY, 0, 0 }, { WHY_UNKILLABLE, 0, 0 },
	{ WHY_NO_PIDFILE, 0, 0 }, { WHY_NETWORK, 0, 0 },
};

static void test_reasons(void)
{
	static const char web[] = "[Unit]\nRequires=db.service\n[Service]\nImage=web\nExecStart=/bin/httpd\nUser=www\nPIDFile=/run/web.pid\n"
				  "RuntimeMaxSec=1h\nWatchdogSec=30s\n";
	char *page = slurp(pages[TOOL]), words[600];
	uint32_t seen = 1u << WHY_NONE | 1u << WHY_BAD_FILE; /* nothing, and what check says */
	struct units u;

	units_open(&u);
	units_put(&u, "web.service", web);
	units_put(&u, "db.service", "[Service]\nExecStart=/bin/db\n");
	if (CHECK(units_load(&u) == 0 && u.table && !u.findings.n, "two units: %s", units_said(&u))) {
		for (size_t k = 0; k < sizeof(reasons) / sizeof(*reasons); k++) {
			const struct why w = { .code = reasons[k].code, .a = reasons[k].a, .b = reasons[k].b };
			char *item = NULL;
			size_t size = 0;
			FILE *out = open_memstream(&item, &size);

			if (!out)
				exit(1);
			print_text(out, "\n.It ");
			print_roff(out, why_text(u.table, table_find(u.table, "web"), &w, words, sizeof(words)));
			print_char(out, '\n');
			fclose(out);
			CHECK(strstr(page, item) != NULL, "%s explains: %s", pages[TOOL], words);
			free(item);
			seen |= 1u << reasons[k].code;
		}
		CHECK(seen == (1u << N_WHYS) - 1, "every reason was asked for: %08x", seen);
	}
	units_close(&u);
	free(page);
}

/* What a page shows as files below /etc/coppice is sound, all of it together. */
static void test_examples(const char *path)
{
	static const char mark[] = ".Bd -literal -offset indent\n# /etc/coppice/";
	char *page = slurp(path), *at = page, *to;
	uint32_t n = 0;
	struct units u;

	units_open(&u);
	while ((at = strstr(at, mark)) && (to = strstr(at, "\n.Ed\n"))) {
		const char *name = at + strlen(mark), *from = strchr(name, '\n');
		char *text = calloc(1, MOST), *into = text, file[64];

		if (!text)
			exit(1);
		/* mdoc(7) tells hyphens from dashes by a backslash. */
		for (const char *s = from; s < to; s++)
			if (*s != '\\' || (s[1] != '-' && s[1] != '&'))
				*into++ = *s;
		snprintf(file, sizeof(file), "%.*s", (int)(from - name), name);
		units_put(&u, file, text);
		free(text);
		at = to;
		n++;
	}
	CHECK(n && units_load(&u) == 0 && !u.findings.n, "%s: its %u examples are sound: %s", path, n, units_said(&u));
	units_close(&u);
	free(page);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--write"))
		return write_pages();
	test_blocks();
	for (int p = 0; p < N_PAGES; p++) {
		test_settings_named(pages[p]);
		test_verbs_named(pages[p], "# ");
	}
	test_settings_named("README.md");
	test_verbs_named("README.md", "`");
	/* What messages advise. */
	test_verbs_named("conf/foreign.c", "`");
	test_verbs_named("conf/load.c", "`");
	test_verbs_named("conf/roots.c", "`");
	test_verbs_named("README.md", "\n# ");
	test_reasons();
	test_examples(pages[SERVICE]);
	test_examples(pages[CONF]);
	return tap_done();
}
