/* wishes.c - what On<SIGNAL>=dump and On<SIGNAL>=forward come to; nothing here allocates. */
#include <signal.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "init/world.h"
#include "supervise/why.h"

#define AT_ONCE 100u         /* units in one turn: what reads our lines has to keep up */
#define BREATH  ((msec_t)20) /* between two such */

static uint32_t dumped, dump_until;

void dump_begin(struct manager *m)
{
	uint32_t helpers = 0;

	for (uint32_t k = 0; k < MAX_HELPERS; k++)
		helpers += m->helpers[k].pid > 0;
	/* No --log-level hides what was asked for. */
	say(SAY_ERROR, "dump: %u units, %u on their way, %u with processes; %u commands of operators; %u helpers; %s",
	    m->n, m->unsettled, m->live, m->n_sessions, helpers, m->how != HOW_NONE ? "stopping" : m->begun ? "running" : "starting");
	dumped = 0;
	dump_until = m->n;
}

static void dump_unit(const struct manager *m, uint32_t i)
{
	const struct service *s = &m->services[i];
	char span[40] = "", words[512];
	struct text t = TEXT(span);

	text_span(&t, (m->now - s->r.since) / 1000 * 1000);
	why_text(m->table, i, &s->r.why, words, sizeof(words));
	say(SAY_ERROR, "dump: %s: %s (%s) for %s, pid %d, health %s, %u restarts%s%s%s", table_text(m->table, table_unit(m->table, i)->name),
	    face_word((enum face)s->r.face), svc_state_word((enum svc_state)s->r.state), m->now - s->r.since < 1000 ? "0s" : span,
	    (int)s->r.main, health_word((enum health)s->r.health), s->r.restarts, s->r.wanted ? "" : ", not wanted", words[0] ? ": " : "", words);
}

msec_t dump_go_on(const struct manager *m)
{
	/* A reload in between may have left fewer. */
	for (uint32_t k = 0; k < AT_ONCE && dumped < dump_until && dumped < m->n; k++)
		dump_unit(m, dumped++);
	if (dumped < dump_until && dumped < m->n)
		return time_add(m->now, BREATH);
	dump_until = 0;
	return FOREVER;
}

void forward(struct manager *m, int sig)
{
	unit_ix app = table_find(m->table, "app");
	bool any = false;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct service *s = &m->services[i];

		if (app == NO_UNIT ? !table_unit(m->table, i)->critical : i != app)
			continue;
		if (s->r.main > 0 && sys_kill(s->r.main, sig) == 0)
			any = true;
	}
	if (!any)
		say(SAY_WARNING, "signal %d: nobody to forward it to: neither \"app\" nor a unit with Critical=yes runs", sig);
}
