/*
 * settings.h - THE table of settings: what a unit file or coppice.conf may say.
 *
 * Parser, defaults, check, show, manual page, completion and the fuzz dictionary
 * are all made from it. To add a setting, add a row; a test reads its preset and
 * its example with the row's own kind.
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/unit.h"

enum section { IN_UNIT, IN_SERVICE, IN_CONTAINER, IN_INSTALL, IN_VOLUME, IN_IMAGE, IN_TIMER, IN_SOCKET, IN_QUADLET,
	       IN_MANAGER, IN_BOOT, IN_SYSCTL, IN_NETWORK, N_SECTIONS };

enum setting_flag {
	SET_LIST    = 1u << 0, /* appends; an empty value resets */
	SET_EMPTY   = 1u << 1, /* an empty value is a value, not a reset */
	SET_DEFAULT = 1u << 2, /* [Manager] Default<Name>= may give another default */
};

struct kind;

struct setting {
	const char *name;      /* "RestartSec"; "*" or "On*" stand for many names */
	uint8_t section;       /* enum section */
	uint8_t flags;
	uint16_t at;           /* bytes into struct unit, or struct house */
	const struct kind *kind;
	const char *same;      /* another name for that one, in the same or in the [Service] section: nothing else is filled in then */
	const char *resets;    /* an empty value resets that one too, and the other way round */
	const char *preset;    /* default as text that its own kind reads; NULL: nothing */
	const char *brief;     /* half a sentence */
	const char *about;     /* a paragraph, or NULL */
	const char *example;   /* a value that reads well; never NULL but for an alias */
	const char *const *words; /* enum by position, NULL at the end */
	int64_t min, max;      /* of numbers; for units: enum edge bits in `min` */
};

extern const struct setting settings[];
extern const uint32_t n_settings;

#define MAX_SETTINGS 255u
#define NO_SETTING   UINT32_MAX

/* Name of a section without brackets; -1 where a file may not have it. Which sections a kind of unit may hold. */
const char *section_name(enum section s);
int section_of(const char *name);
bool section_fits(enum section s, enum unit_kind kind);
/* For coppice.conf. */
bool section_is_house(enum section s);

/* Finds settings by name; fill it once with settings_index(). */
struct setting_index {
	uint16_t slots[1024]; /* index + 1, by hash of section and name */
	uint16_t real[MAX_SETTINGS];  /* what an alias stands for */
	uint16_t reset[MAX_SETTINGS]; /* which settings are reset together: the lowest index among them */
};

void settings_index(struct setting_index *ret);

/*
 * The row for "[section] name": the exact one; what [Container] has, in [Service]
 * too; or the row that stands for many names. NO_SETTING where there is none.
 */
uint32_t settings_find(const struct setting_index *ix, enum section section, const char *name);

/* A setting of that name in whatever section of units or, if house, of coppice.conf; NO_SETTING. */
uint32_t settings_anywhere(const char *name, bool house);

/*
 * For a name that systemd or Podman know and we do not take: true, and why it makes
 * no sense here; or NULL where this version just cannot do it yet.
 */
bool setting_is_foreign(enum section section, const char *name, const char **ret_why);

/* The name nearest to a typo among those that [section] takes, or NULL. */
const char *settings_nearest(enum section section, const char *name);

#endif
