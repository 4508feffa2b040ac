/* ending.c - who we are and what an end comes to: every cell; and where a line of mountinfo says something is mounted. */
#include "init/ending.h"

#include <stdlib.h>
#include <string.h>

#include "init/mountinfo.h"
#include "tests/lib/tap.h"

static void test_standing(void)
{
	for (int pid1 = 0; pid1 < 2; pid1++)
		for (int space = 0; space < N_SPACES; space++)
			for (int c = 0; c < N_CONTAINERS; c++) {
				/* The kernel's own init is PID 1 of the first namespace, and no manager marked it. */
				enum standing want = !pid1 ? STANDING_GUEST :
						     space == SPACE_MADE ? STANDING_CONTAINER :
						     c == CONTAINER_NONE ? STANDING_MACHINE : STANDING_GUEST;

				CHECK(ending_standing(pid1, (enum pid_space)space, (enum container)c) == want,
				      "%s of %s namespace, container %s", pid1 ? "PID 1" : "another", space == SPACE_MADE ? "a" : "the first",
				      container_word((enum container)c));
			}
}

static void test_acts(void)
{
	/* exit, power off, halt, reboot; and an end that nobody asked for. */
	static const struct { enum standing s; enum act act[N_HOWS]; } want[] = {
		{ STANDING_GUEST, { [HOW_EXIT] = ACT_EXIT, [HOW_POWEROFF] = ACT_EXIT, [HOW_HALT] = ACT_EXIT, [HOW_REBOOT] = ACT_REFUSE, [HOW_NONE] = ACT_EXIT } },
		{ STANDING_CONTAINER, { [HOW_EXIT] = ACT_EXIT, [HOW_POWEROFF] = ACT_EXIT, [HOW_HALT] = ACT_EXIT, [HOW_REBOOT] = ACT_RESTART_US, [HOW_NONE] = ACT_EXIT } },
		{ STANDING_MACHINE, { [HOW_EXIT] = ACT_POWER_OFF, [HOW_POWEROFF] = ACT_POWER_OFF, [HOW_HALT] = ACT_HALT, [HOW_REBOOT] = ACT_RESTART, [HOW_NONE] = ACT_POWER_OFF } },
	};
	static const char *const words[N_HOWS] = { "none", "exit", "poweroff", "halt", "reboot" };

	CHECK(sizeof(want) / sizeof(want[0]) == N_STANDINGS, "every standing is looked at");
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		for (int how = 0; how < N_HOWS; how++)
			CHECK(ending_act(want[i].s, (enum how)how) == want[i].act[how], "standing %d, %s", (int)want[i].s, words[how]);
	for (int s = 0; s < N_STANDINGS; s++)
		for (int how = 0; how < N_HOWS; how++) {
			enum act a = ending_act((enum standing)s, (enum how)how);

			CHECK(a > ACT_NONE && a < N_ACTS, "cell %d, %d is not blank", s, how);
			CHECK((a >= ACT_RESTART) == (s == STANDING_MACHINE), "cell %d, %d: a machine is ended by its own init alone", s, how);
		}
	CHECK(ending_act(N_STANDINGS, HOW_REBOOT) == ACT_EXIT && ending_act(STANDING_MACHINE, N_HOWS) == ACT_EXIT, "nonsense leaves");
}

static void test_points(void)
{
	static const struct { const char *line, *want; } lines[] = {
		{ "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw", "/" },
		{ "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", "/mnt2" },
		{ "36 35 98:0 /a\\040b /mnt/a\\040b rw - ext3 x rw", "/mnt/a b" },
		{ "36 35 98:0 / /tab\\011line\\012slash\\134040 rw - t x rw", "/tab\tline\nslash\\040" },
		{ "36 35 98:0 / /\\04 rw - t x rw", "/\\04" },
		{ "36 35 98:0 / /\\", "/\\" },
		{ "36 35 98:0 / /\\777 rw", "/\\777" },
		{ "36 35 98:0 / /end", "/end" },
		{ "36 35 98:0 / relative rw", NULL },
		{ "36 35 98:0 / ", NULL },
		{ "36 35 98:0 /", NULL },
		{ "36", NULL },
		{ "", NULL },
	};
	static const struct { const char *point; bool spared; } points[] = {
		{ "/", true }, { "/proc", true }, { "/proc/sys/fs/binfmt_misc", true }, { "/sys/fs/cgroup", true }, { "/dev/pts", true },
		{ "/process", false }, { "/srv/dev", false }, { "/run", false }, { "/device", false }, { "/s", false },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t n = strlen(lines[i].line);
		/* Exactly as long as it is, so that a sanitizer sees who reads on. */
		char *line = malloc(n + 1), got[64] = "";
		struct text t = TEXT(got);

		if (!line)
			abort();
		memmove(line, lines[i].line, n);
		bool good = mountinfo_point(line, n, &t);
		CHECK(good == (lines[i].want != NULL) && (!good || !strcmp(got, lines[i].want)), "\"%s\"", lines[i].line);
		free(line);
	}
	char small[8] = "";
	struct text t = TEXT(small);
	CHECK(!mountinfo_point(lines[1].line, strlen(lines[1].line), &t) || !t.cut, "what fits, fits");
	t = TEXT(small);
	CHECK(!mountinfo_point("1 2 3:4 / /much/too/long rw", 27, &t), "half a path is none");
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		CHECK(mountinfo_spared(points[i].point) == points[i].spared, "%s is %sspared", points[i].point, points[i].spared ? "" : "not ");
}

int main(void)
{
	test_standing();
	test_acts();
	test_points();
	return tap_done();
}
