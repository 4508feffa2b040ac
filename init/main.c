/* main.c - one binary, several roles: chosen by pid, name and first word; on a machine by the pid alone. */
#include <string.h>
#include <unistd.h>

#include "init/cli/cli.h"
#include "init/machine.h"
#include "init/pid1.h"
#include "init/shim.h"

/* The kernel hands its init those words of the command line that it does not know itself ("splash"). */
static bool machines_init(void)
{
	return getpid() == 1 && machine_is_ours(true, container_detect());
}

int main(int argc, char **argv)
{
	/* argc may be 0 (execve(2)); the name is then nobody's. */
	const char *name = argc > 0 && argv[0] ? argv[0] : "";
	const char *slash = strrchr(name, '/');
	const char *called = slash ? slash + 1 : name;
	bool by_name = !strcmp(called, "init");
	bool by_word = argc > 1 && !strcmp(argv[1], "init");
	/* A PID 1 with words of its own ("coppice status" as a container's command) means what it says. */
	bool by_pid = !by_name && !by_word && getpid() == 1 && (argc <= 1 || machines_init());

	/* Before the name, for Docker and Podman have put their shim at /dev/init: "/dev/init -- COMMAND". */
	if (shim_named(called) || shim_worded(argc, argv))
		return shim_main(argc, argv);
	if (by_name || by_word || by_pid) {
		struct init_options o;

		signals_block();
		int e = init_options_read(by_word && !by_name ? argc - 1 : argc, by_word && !by_name ? argv + 1 : argv, &o);

		/* To leave would make a machine panic; what it was told is told, and counts for nothing. */
		if (e > 0 && machines_init())
			e = init_options_read(1, argv, &o);
		if (e != 0)
			return e < 0 ? 0 : e;
		return init_main(&o);
	}
	return cli_main(argc, argv);
}
