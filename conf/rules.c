/* rules.c - what the settings of one unit mean together; pure. */
#include "conf/rules.h"

#define PENDING_OF(c, m) ((c)->build.lists[offsetof(struct unit, m) / 4])

/* The settings that rules speak of; found by name once. */
enum { TYPE, EXEC_START, RESTART, RESTART_MAX, START_TIMEOUT, BOTH_TIMEOUTS, ROOT_DIRECTORY, ROOT_FROM, IMAGE,
      LAYERS, NICE, OOM,
       DISPLAY, WANTED_BY, REQUIRED_BY };
static const char *const names[N_RULED] = {
	[TYPE] = "Type", [EXEC_START] = "ExecStart", [RESTART] = "Restart", [RESTART_MAX] = "RestartMaxDelaySec",
	[START_TIMEOUT] = "TimeoutStartSec", [BOTH_TIMEOUTS] = "TimeoutSec", [ROOT_DIRECTORY] = "RootDirectory",
	[ROOT_FROM] = "RootFrom", [IMAGE] = "Image", [LAYERS] = "ExtraLayers", [NICE] = "Nice", [OOM] = "OOMScoreAdjust",
	[DISPLAY] = "HealthDisplay", [WANTED_BY] = "WantedBy", [REQUIRED_BY] = "RequiredBy",
};

void rules_open(struct compiler *c)
{
	for (uint32_t i = 0; i < N_RULED; i++)
		c->ruled[i] = (uint16_t)settings_anywhere(names[i], false);
}

#define SAID(what) first[c->ruled[what]]

#define COMPLAIN(c, d, a, ...) finding_add((c)->findings, SAY_ERROR, (a) ? (a)->file : (d)->file, (a) ? (a)->line : 0, __VA_ARGS__)

/* Where the nth command of a pending list stands. */
static uint32_t command_line(struct compiler *c, size_t at, uint32_t nth)
{
	return c->build.words[*build_nth(&c->build, at, nth) + 1];
}

static void check_start(struct compiler *c, struct draft *d, const struct assignment *const *first)
{
	struct unit *u = &d->u;
	const struct pending *start = &PENDING_OF(c, start);
	const struct assignment *restart = SAID(RESTART), *type = SAID(TYPE), *start_said = SAID(EXEC_START);

	if (start->n == 0 && !start_said && !d->commanded && !(u->type == TYPE_ONESHOT && u->remain && PENDING_OF(c, stop).n)) {
		if (d->image)
			finding_add(c->findings, SAY_ERROR, d->file, 0,
				    "no ExecStart=, and image \"%.100s\" does not say what to run; say in [Service] which program to run", d->image);
		else if (u->health_kind != HEALTH_NONE)
			u->type = TYPE_CHECK;
		else
			finding_add(c->findings, SAY_ERROR, d->file, 0,
				    "no ExecStart=; say in [Service] which program to run");
	}
	if (start->n > 1 && u->type != TYPE_ONESHOT && !c->build.failed) {
		size_t at = offsetof(struct unit, start);

		finding_add(c->findings, SAY_ERROR, start_said->file, command_line(c, at, 1),
			    "ExecStart=: there is one already in line %u; put an empty ExecStart= before this one to replace it, "
			    "or say Type=oneshot to run both",
			    command_line(c, at, 0));
	}
	if (u->type == TYPE_ONESHOT && (u->restart == RESTART_ALWAYS || u->restart == RESTART_ON_SUCCESS))
		COMPLAIN(c, d, restart,
			 "Restart=: \"%s\" would run a Type=oneshot unit for ever; write on-failure, or another Type=",
			 u->restart == RESTART_ALWAYS ? "always" : "on-success");
	if (u->type == TYPE_FORKING && !u->pid_file)
		COMPLAIN(c, d, type,
			 "Type=: forking needs PIDFile= to tell which process is the daemon; add it, or run the daemon "
			 "in the foreground with Type=exec");
	if (u->type == TYPE_ONESHOT && !SAID(START_TIMEOUT) && !SAID(BOTH_TIMEOUTS))
		u->timeout_start = FOREVER;
	if (u->notify_access == NOTIFY_NONE && (u->type == TYPE_NOTIFY || u->watchdog))
		u->notify_access = NOTIFY_MAIN;
}

static void check_root(struct compiler *c, struct draft *d, const struct assignment *const *first)
{
	const struct assignment *image = SAID(IMAGE), *root = SAID(ROOT_DIRECTORY), *from = SAID(ROOT_FROM);

	if (image && root)
		COMPLAIN(c, d, root,
			 "RootDirectory=: a unit has one root, and Image= is there already; keep one of them");
	if (from && (image || root))
		COMPLAIN(c, d, from,
			 "RootFrom=: a unit has one root, and %s= is there already; keep one of them", image ? "Image" : "RootDirectory");
	if (PENDING_OF(c, layers).n && !image && d->kind == UNIT_SERVICE)
		COMPLAIN(c, d, SAID(LAYERS),
			 "ExtraLayers=: there is no Image= that they could be laid over; add one");
}

void rules_apply(struct compiler *c, struct draft *d, const struct assignment *const *first)
{
	struct unit *u = &d->u;
	const struct assignment *a;

	if (!u->description)
		u->description = u->name;
	u->autostart = d->kind == UNIT_SERVICE || d->kind == UNIT_TARGET;
	d->wanted = SAID(WANTED_BY) || SAID(REQUIRED_BY);
	if (d->kind == UNIT_IMAGE && !PENDING_OF(c, layers).n)
		finding_add(c->findings, SAY_ERROR, d->file, 0,
			    "no Layer=; say in [Image] which layers it has");
	if (d->kind != UNIT_SERVICE)
		return;

	a = SAID(IMAGE);
	if (a) {
		d->image = a->value;
		d->image_line = a->line;
	}
	check_start(c, d, first);
	check_root(c, d, first);

	/* Whoever asks for more than the default maximum means it; whoever says both must not contradict himself. */
	if (u->restart_sec > u->restart_max_delay) {
		a = SAID(RESTART_MAX);
		if (a)
			COMPLAIN(c, d, a,
				 "RestartMaxDelaySec=: \"%s\" is less than RestartSec=; make it at least as long", a->value);
		u->restart_max_delay = u->restart_sec;
	}
	u->bounding |= u->ambient;
	u->nice_set = SAID(NICE);
	u->oom_set = SAID(OOM);
	for (uint32_t i = 0; i < c->n_defaults; i++)
		u->oom_set |= c->defaults[i].setting == c->ruled[OOM];
	if (u->err == OUT_INHERIT) {
		u->err = u->out;
		u->error_file = u->output_file;
	}
	if (!SAID(DISPLAY))
		u->health_display = u->description;
}
