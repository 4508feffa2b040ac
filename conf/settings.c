/* settings.c - THE table of settings, and how a name is found in it; pure. */
#include "conf/settings.h"

#include <string.h>

#include "conf/kinds.h"
#include "conf/kit/text.h"
#include "conf/kit/time.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): types, members and pieces of string literals take no parentheses. */
/* AT() and ON() do not compile when the member's type is not the one that the kind writes. */
#define MEMBER(of, m, type) (uint16_t)(offsetof(struct of, m) + 0 * sizeof(_Generic(&((struct of *)0)->m, type *: 0)))
#define AT(m, type)  .at = MEMBER(unit, m, type)
#define ON(m, type)  .at = MEMBER(house, m, type)

#define TEXT_IN(m)   .kind = &kind_text, AT(m, text_at)
#define NAME_IN(m)   .kind = &kind_name, AT(m, text_at)
#define PATH_IN(m)   .kind = &kind_path, AT(m, text_at)
#define BOOL_IN(m)   .kind = &kind_bool, AT(m, bool)
#define WORD_IN(m, ...) .kind = &kind_word, AT(m, uint8_t), .words = (const char *const[]){ __VA_ARGS__, NULL }
#define SPAN_IN(m)   .kind = &kind_span, AT(m, msec_t)
#define LIMIT_IN(m)  .kind = &kind_timeout, AT(m, msec_t)
#define WHOLE_IN(m)  .kind = &kind_whole, AT(m, int32_t)
#define COUNT_IN(m)  .kind = &kind_count, AT(m, uint32_t)
#define SIGNAL_IN(m) .kind = &kind_signal, AT(m, uint8_t)
#define LIST_IN(m, k) .kind = &(k), AT(m, list_at), .flags = SET_LIST
#define LIST_TOO(m, k) .kind = &(k), AT(m, list_at), .flags = SET_LIST | SET_DEFAULT
#define COMMANDS(m)  LIST_IN(m, kind_command)
#define EDGES(bits)  LIST_IN(needs, kind_units), .min = (bits)
#define RLIMIT(n, what, like) { .section = IN_SERVICE, .name = "Limit" n, LIST_TOO(limits, kind_limit), \
	.brief = what, .example = like }

#define UNIT(n)      .section = IN_UNIT, .name = n
#define SERVICE(n)   .section = IN_SERVICE, .name = n
#define CONTAINER(n) .section = IN_CONTAINER, .name = n
#define INSTALL(n)   .section = IN_INSTALL, .name = n
#define IMAGE(n)     .section = IN_IMAGE, .name = n
#define MANAGER(n)   .section = IN_MANAGER, .name = n
#define BOOT(n)      .section = IN_BOOT, .name = n
#define SYSCTL(n)    .section = IN_SYSCTL, .name = n
#define NETWORK(n)   .section = IN_NETWORK, .name = n

#define ALIAS(in, n, of)   { .section = in, .name = n, .same = of }
/* NOLINTEND(bugprone-macro-parentheses) */

const struct setting settings[] = {
	/* [Unit], systemd.unit(5) */
	{ UNIT("Description"), TEXT_IN(description), .brief = "what people call the unit", .example = "Web server" },
	{ UNIT("Documentation"), .kind = &kind_none, .flags = SET_LIST, .brief = "where to read more; not used", .example = "man:nginx(8)" },
	{ UNIT("Requires"), EDGES(EDGE_REQUIRES | EDGE_AFTER), .brief = "units that must be ready before this one starts",
	  .about = "They are started too. While one of them is not ready, a start waits, however long, and goes on by itself. A unit that runs "
		   "already is left alone when one of them fails. Unlike in systemd, After= is implied.", .example = "db.service" },
	{ UNIT("Wants"), EDGES(EDGE_WANTS | EDGE_AFTER), .brief = "units that are started too",
	  .about = "This unit starts when they are ready, or have failed for good. Unlike in systemd, After= is implied.", .example = "cache.service" },
	{ UNIT("BindsTo"), EDGES(EDGE_BINDS | EDGE_REQUIRES | EDGE_AFTER), .brief = "as Requires=, and this unit stops while they are not ready",
	  .about = "It is started again when they are. Unlike in systemd, After= is implied.", .example = "db.service" },
	{ UNIT("PartOf"), EDGES(EDGE_PART_OF), .brief = "a stop or restart of these by hand is one of this unit too", .example = "app.target" },
	{ UNIT("Requisite"), EDGES(EDGE_REQUISITE), .brief = "units that must be ready already, else the start fails at once", .example = "db.service" },
	{ UNIT("Conflicts"), EDGES(EDGE_CONFLICTS), .brief = "units that are stopped when this one starts, and the other way round", .example = "maintenance.service" },
	{ UNIT("After"), EDGES(EDGE_AFTER), .brief = "units that come first, where they are started at all", .example = "db.service" },
	{ UNIT("Before"), EDGES(EDGE_AFTER | MENTION_REVERSED), .brief = "units that come later, where they are started at all", .example = "web.service" },
	{ UNIT("OnFailure"), LIST_IN(on_failure, kind_units), .min = MENTION_FAILURE, .brief = "units to start when this one has failed for good",
	  .about = "A unit that is only named here is not started at boot.", .example = "alarm.service" },
	{ UNIT("OnSuccess"), LIST_IN(on_success, kind_units), .min = MENTION_SUCCESS, .brief = "units to start when this one has ended well",
	  .about = "A unit that is only named here is not started at boot.", .example = "cleanup.service" },
	{ UNIT("StartLimitIntervalSec"), SPAN_IN(start_limit_interval), .flags = SET_DEFAULT, .preset = "10s", .brief = "the span in which starts are counted; 0: no limit",
	  .example = "1min" },
	{ UNIT("StartLimitBurst"), COUNT_IN(start_limit_burst), .max = 1000000, .flags = SET_DEFAULT, .preset = "5",
	  .brief = "how many starts there may be in that span; 0: no limit", .example = "10" },

	/* [Service], systemd.service(5) */
	{ SERVICE("Type"), WORD_IN(type, "exec", "simple", "oneshot", "notify", "forking"), .preset = "exec", .brief = "when the unit counts as started",
	  .about = "exec: its program runs. simple: it was forked. oneshot: it has ended, with success. notify: it has said READY=1 with sd_notify(3). "
		   "forking: its first process has ended and the daemon goes on; say PIDFile= with it. Unlike in systemd, exec is the default.",
	  .example = "notify" },
	{ SERVICE("RemainAfterExit"), BOOL_IN(remain), .preset = "no", .brief = "counts as up when all its processes have ended", .example = "yes" },
	{ SERVICE("PIDFile"), PATH_IN(pid_file), .min = 1, .brief = "where a forking daemon writes its process id, inside its root", .example = "/run/daemon.pid" },
	{ SERVICE("ExecCondition"), COMMANDS(condition), .brief = "run first; an exit code of 1 to 254 skips the start without a failure", .example = "/usr/bin/test -e /etc/app.conf" },
	{ SERVICE("ExecStartPre"), COMMANDS(pre), .brief = "run before the program, one after the other", .example = "/usr/bin/app --migrate" },
	{ SERVICE("ExecStart"), COMMANDS(start), .brief = "the program and its arguments",
	  .about = "The program is an absolute path, or a name looked up in PATH, inside the image. Quotes, escapes and $VARIABLES are systemd's; there is no "
		   "shell. Before the program: @ the next word is what it is called, - its failure counts as success, : no $VARIABLES, + as root. "
		   "Type=oneshot may have several. Without it, and with a health check, the unit is a check that gates others.",
	  .example = "/usr/sbin/nginx -g \"daemon off;\"" },
	{ SERVICE("ExecStartPost"), COMMANDS(post), .brief = "run when the program has started, before the unit counts as ready", .example = "/usr/bin/app --warm-up" },
	{ SERVICE("ExecReload"), COMMANDS(reload), .brief = "run by reload; $MAINPID is the program", .example = "/bin/kill -HUP $MAINPID" },
	{ SERVICE("ExecStop"), COMMANDS(stop), .brief = "run to stop the program; KillSignal= follows", .example = "/usr/bin/app --shutdown" },
	{ SERVICE("ExecStopPost"), COMMANDS(stop_post), .brief = "run when it has stopped, also after a start that failed", .example = "/usr/bin/app --clean" },
	{ SERVICE("Restart"), WORD_IN(restart, "no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"), .flags = SET_DEFAULT, .preset = "no",
	  .brief = "after which ends the program is started again", .example = "on-failure" },
	{ SERVICE("RestartSec"), SPAN_IN(restart_sec), .flags = SET_DEFAULT, .preset = "0", .brief = "pause before the first restart",
	  .about = "It grows with every restart in a row, up to RestartMaxDelaySec=, and starts over after a stable run.", .example = "500ms" },
	{ SERVICE("RestartMaxDelaySec"), SPAN_IN(restart_max_delay), .flags = SET_DEFAULT, .preset = "30s", .brief = "what that pause may grow to", .example = "5min" },
	{ SERVICE("RestartSteps"), COUNT_IN(restart_steps), .max = 1000, .flags = SET_DEFAULT, .preset = "0", .brief = "in how many restarts it grows to that; 0: it doubles each time",
	  .example = "5" },
	{ SERVICE("TimeoutStartSec"), LIMIT_IN(timeout_start), .flags = SET_DEFAULT, .preset = "90s", .brief = "how long a start may take",
	  .about = "For Type=oneshot the default is infinity. Where a health check tells when it is ready, HealthStartPeriod= and HealthRetries= bound that part.", .example = "2min" },
	{ SERVICE("TimeoutStopSec"), LIMIT_IN(timeout_stop), .flags = SET_DEFAULT, .preset = "90s", .brief = "how long a stop may take before FinalKillSignal=", .example = "30s" },
	{ SERVICE("TimeoutSec"), .kind = &kind_timeouts, AT(timeout_start, msec_t), .brief = "TimeoutStartSec= and TimeoutStopSec= at once", .example = "45s" },
	{ SERVICE("RuntimeMaxSec"), LIMIT_IN(runtime_max), .preset = "infinity", .brief = "how long it may run", .example = "1d" },
	{ SERVICE("WatchdogSec"), SPAN_IN(watchdog), .preset = "0", .brief = "how often it must say WATCHDOG=1; 0: never", .example = "30s" },
	{ SERVICE("NotifyAccess"), WORD_IN(notify_access, "none", "main", "exec", "all"), .preset = "none", .brief = "whose sd_notify(3) messages count",
	  .about = "With Type=notify or WatchdogSec= it is at least main.", .example = "all" },
	{ SERVICE("KillMode"), WORD_IN(kill_mode, "control-group", "mixed", "process"), .preset = "control-group", .brief = "which processes are stopped",
	  .about = "control-group: all at once. mixed: KillSignal= to the program, and FinalKillSignal= to the rest. process: the program alone.", .example = "mixed" },
	{ SERVICE("KillSignal"), SIGNAL_IN(kill_signal), .preset = "SIGTERM", .brief = "what asks it to stop", .example = "SIGINT" },
	{ SERVICE("FinalKillSignal"), SIGNAL_IN(final_signal), .preset = "SIGKILL", .brief = "what follows when TimeoutStopSec= is over", .example = "SIGQUIT" },
	{ SERVICE("RestartKillSignal"), SIGNAL_IN(restart_signal), .brief = "in place of KillSignal= for a restart", .example = "SIGUSR2" },
	{ SERVICE("WatchdogSignal"), SIGNAL_IN(watchdog_signal), .preset = "SIGABRT", .brief = "what a missed watchdog earns", .example = "SIGTERM" },
	{ SERVICE("ReloadSignal"), SIGNAL_IN(reload_signal), .brief = "what reload sends where there is no ExecReload=", .example = "SIGUSR1" },
	{ SERVICE("SendSIGKILL"), BOOL_IN(send_sigkill), .preset = "yes", .brief = "whether FinalKillSignal= is sent at all", .example = "no" },
	{ SERVICE("SendSIGHUP"), BOOL_IN(send_sighup), .preset = "no", .brief = "SIGHUP follows KillSignal= at once", .example = "yes" },
	{ SERVICE("SuccessExitStatus"), LIST_IN(success, kind_status), .brief = "more ends that are a success", .example = "TEMPFAIL 250 SIGKILL" },
	{ SERVICE("RestartPreventExitStatus"), LIST_IN(prevent, kind_status), .brief = "ends after which there is no restart", .example = "CONFIG 1" },
	{ SERVICE("RestartForceExitStatus"), LIST_IN(force, kind_status), .brief = "ends after which there always is", .example = "133" },

	/* systemd.exec(5), systemd.kill(5) */
	{ SERVICE("User"), .kind = &kind_user, AT(user, text_at), .brief = "who runs it, looked up inside the image", .example = "www-data" },
	{ SERVICE("Group"), .kind = &kind_user, AT(group, text_at), .brief = "its group; that of the user where nothing is said", .example = "www-data" },
	{ SERVICE("SupplementaryGroups"), LIST_IN(groups, kind_names), .max = 1, .brief = "more groups", .example = "ssl-cert 1001" },
	{ SERVICE("WorkingDirectory"), .kind = &kind_workdir, AT(workdir, text_at), .brief = "where it starts, inside its root; ~: its home", .example = "/srv/app" },
	{ SERVICE("RootDirectory"), PATH_IN(root_directory), .brief = "a directory of the container that is its root, in place of an image", .example = "/srv/root" },
	{ SERVICE("Environment"), LIST_IN(env, kind_env), .brief = "variables", .example = "PORT=8080 \"GREETING=good day\"" },
	{ SERVICE("EnvironmentFile"), LIST_IN(env_files, kind_env_files), .brief = "a file of variables, read at every start", .example = "-/etc/default/app" },
	{ SERVICE("PassEnvironment"), LIST_IN(pass_env, kind_names), .brief = "variables taken over from the container's own", .example = "LANG TZ" },
	{ SERVICE("UMask"), .kind = &kind_mode, AT(umask, uint32_t), .flags = SET_DEFAULT, .preset = "0022", .brief = "permissions that new files do not get", .example = "0077" },
	{ SERVICE("Nice"), WHOLE_IN(nice), .min = -20, .max = 19, .brief = "its share of the processor; less is more", .example = "5" },
	{ SERVICE("OOMScoreAdjust"), WHOLE_IN(oom_score), .min = -1000, .max = 1000, .flags = SET_DEFAULT, .brief = "how soon the kernel kills it for want of memory", .example = "-500" },
	RLIMIT("CPU", "processor time", "1h"), RLIMIT("FSIZE", "size of a file it writes", "1G"), RLIMIT("DATA", "its data", "infinity"),
	RLIMIT("STACK", "its stack", "8M:64M"), RLIMIT("CORE", "size of a core dump", "0"), RLIMIT("RSS", "without effect on Linux", "infinity"),
	RLIMIT("NOFILE", "open descriptors", "1024:65536"), RLIMIT("AS", "address space", "4G"), RLIMIT("NPROC", "processes of its user", "512"),
	RLIMIT("MEMLOCK", "locked memory", "64K"), RLIMIT("LOCKS", "locks", "100"), RLIMIT("SIGPENDING", "queued signals", "1000"),
	RLIMIT("MSGQUEUE", "bytes in message queues", "800K"), RLIMIT("NICE", "nice level it may take", "+5"),
	RLIMIT("RTPRIO", "real-time priority it may take", "10"), RLIMIT("RTTIME", "real-time processor time without sleep", "500ms"),
	{ SERVICE("CapabilityBoundingSet"), .kind = &kind_bounding, AT(bounding, uint64_t), .flags = SET_EMPTY,
	  .preset = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SETFCAP",
	  .brief = "the capabilities it can ever have",
	  .about = "As in systemd: lists are added up, ~ takes away, ~ alone is all, nothing is none. CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_SYS_PTRACE, "
		   "CAP_SYS_MODULE, CAP_SYS_RAWIO and CAP_MKNOD open a way out of the image: a unit has them only where it names them.",
	  .example = "CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID" },
	{ SERVICE("AmbientCapabilities"), .kind = &kind_ambient, AT(ambient, uint64_t), .flags = SET_EMPTY, .brief = "capabilities that it has although it is not root",
	  .about = "They are added to the bounding set.", .example = "CAP_NET_BIND_SERVICE" },
	{ SERVICE("NoNewPrivileges"), BOOL_IN(no_new_privs), .flags = SET_DEFAULT, .preset = "no", .brief = "set-user-id programs give it nothing", .example = "yes" },
	{ SERVICE("BindPaths"), LIST_IN(mounts, kind_binds), .brief = "directories and files of the container, seen in its root", .example = "/srv/data:/data" },
	{ SERVICE("BindReadOnlyPaths"), LIST_TOO(mounts, kind_binds), .min = MOUNT_RO, .resets = "BindPaths", .brief = "the same, read-only", .example = "-/etc/app" },
	{ SERVICE("TemporaryFileSystem"), LIST_IN(mounts, kind_temporary), .brief = "memory as a file system", .example = "/var/cache:size=64M,mode=0700" },
	{ SERVICE("StandardOutput"), .kind = &kind_output, AT(out, uint8_t), .flags = SET_DEFAULT, .preset = "journal", .brief = "where its output goes",
	  .about = "journal: into memory, for logs, and to the container's output. inherit: to the container's output as it is. A file is one of the container, not of the image.", .example = "append:/var/log/app.log" },
	{ SERVICE("StandardError"), .kind = &kind_output, AT(err, uint8_t), .flags = SET_DEFAULT, .preset = "inherit", .brief = "where its errors go; inherit: as StandardOutput=", .example = "null" },
	{ SERVICE("StandardInput"), .kind = &kind_null, .brief = "where its input comes from: nowhere", .example = "null" },
	{ SERVICE("IgnoreSIGPIPE"), BOOL_IN(ignore_sigpipe), .preset = "yes", .brief = "SIGPIPE is ignored", .example = "no" },

	/* ours */
	{ CONTAINER("Image"), NAME_IN(image), .brief = "the image it runs in",
	  .about = "Looked for in ImagePath=: a directory that is a root file system, or that holds one called rootfs; or what a .image file "
		   "describes. What its config says (config.json in it, or NAME.json and NAME.env beside it) is the default for what this unit "
		   "does not say: see IMAGES.",
	  .example = "postgres" },
	{ CONTAINER("Overlay"), WORD_IN(overlay, "ephemeral", "persistent", "none"), .flags = SET_DEFAULT, .preset = "ephemeral", .brief = "what becomes of what it writes into its root",
	  .about = "ephemeral: kept over restarts, gone when it is stopped. persistent: kept. none: its root is the image itself, read-only.", .example = "persistent" },
	{ CONTAINER("RootFrom"), .kind = &kind_root, AT(root_from, uint32_t), .brief = "the unit whose root it shares", .example = "web.service" },
	{ CONTAINER("ExtraLayers"), LIST_IN(layers, kind_layers), .brief = "images laid over its image, lowest first", .example = "tools /srv/patch" },
	{ CONTAINER("RootMode"), WORD_IN(root_mode, "auto", "pivot", "chroot"), .flags = SET_DEFAULT, .preset = "auto", .brief = "how it gets its root",
	  .about = "pivot: it fails rather than be weaker than that. auto: the best that the kernel lets us do.", .example = "pivot" },
	{ CONTAINER("SharedRun"), BOOL_IN(shared_run), .preset = "no", .brief = "its /run is the container's", .example = "yes" },
	{ CONTAINER("Critical"), BOOL_IN(critical), .preset = "no", .brief = "its end ends the container, with its status", .example = "yes" },
	{ CONTAINER("StopPriority"), WHOLE_IN(stop_priority), .min = -1000, .max = 1000, .preset = "0", .brief = "at a shutdown, more goes first where no order says otherwise", .example = "10" },

	/* podman-systemd.unit(5), [Container] */
	{ CONTAINER("Volume"), LIST_IN(mounts, kind_volume), .brief = "a volume, or a directory of the container, seen in its root", .example = "data:/var/lib/postgresql:U" },
	{ CONTAINER("Tmpfs"), LIST_IN(mounts, kind_tmpfs), .brief = "memory as a file system", .example = "/tmp:size=64M" },
	{ CONTAINER("HealthCmd"), .kind = &kind_health_cmd, AT(health_cmd, list_at), .brief = "a command, run inside, that says whether it is well",
	  .about = "Exit codes: 0 well, 59 disabled, 60 starting, 61 loading, else sick. It is run by /bin/sh -c as in Podman, but without a shell where it begins "
		   "with / and needs none. CMD before it: never by a shell; CMD-SHELL: always. none: no check.", .example = "/usr/bin/pg_isready -q" },
	{ CONTAINER("HealthTcp"), .kind = &kind_health_tcp, .brief = "well when a connection succeeds", .example = "127.0.0.1:5432" },
	{ CONTAINER("HealthListen"), .kind = &kind_health_listen, .brief = "well when somebody listens on the port, without connecting", .example = "5432" },
	{ CONTAINER("HealthHttp"), .kind = &kind_health_http, .brief = "well when a page answers", .example = "http://127.0.0.1:8080/health" },
	{ CONTAINER("HealthHttpStatus"), .kind = &kind_codes, .at = offsetof(struct unit, health_status), .preset = "200-399", .brief = "statuses that count as well", .example = "200-299" },
	{ CONTAINER("HealthUnix"), .kind = &kind_health_unix, .brief = "well when a socket inside its root takes a connection", .example = "/run/app.sock" },
	{ CONTAINER("HealthFile"), .kind = &kind_health_file, .brief = "well while a file exists inside its root", .example = "/run/ready" },
	{ CONTAINER("HealthInterval"), SPAN_IN(health_interval), .flags = SET_DEFAULT, .min = 1, .preset = "30s", .brief = "time from one check to the next", .example = "5s" },
	{ CONTAINER("HealthTimeout"), SPAN_IN(health_timeout), .flags = SET_DEFAULT, .min = 1, .preset = "30s", .brief = "how long a check may take", .example = "3s" },
	{ CONTAINER("HealthRetries"), COUNT_IN(health_retries), .flags = SET_DEFAULT, .min = 1, .max = 1000000, .preset = "3", .brief = "failures in a row that make it sick", .example = "5" },
	{ CONTAINER("HealthStartPeriod"), SPAN_IN(health_start_period), .flags = SET_DEFAULT, .preset = "0", .brief = "after the start, time in which failures do not count",
	  .about = "0: as long as HealthInterval=. After it, and until the first success, one failure counts in each HealthInterval=.", .example = "1min" },
	{ CONTAINER("HealthStartupInterval"), SPAN_IN(health_startup_interval), .flags = SET_DEFAULT, .min = 1, .preset = "1s", .brief = "as HealthInterval=, until the first success", .example = "250ms" },
	{ CONTAINER("HealthOnFailure"), WORD_IN(on_sick, "none", "kill", "restart", "stop"), .flags = SET_DEFAULT, .preset = "none", .brief = "what is done with a sick unit",
	  .about = "none: it runs on, and is not ready. kill: SIGKILL, and Restart= decides. restart: it is stopped and started again, whatever Restart= says. "
		   "stop: it is stopped, and has failed.", .example = "restart" },
	{ CONTAINER("HealthDisplay"), TEXT_IN(health_display), .flags = SET_EMPTY, .brief = "what the check is called; not shown by this version", .example = "Web interface" },
	{ CONTAINER("HealthSuccessMessage"), TEXT_IN(health_success), .brief = "what is shown while it is well", .example = "The web interface is ready" },
	{ CONTAINER("HealthFailureMessage"), TEXT_IN(health_failure), .brief = "what is shown while it is not", .example = "The web interface does not answer" },
	{ CONTAINER("AddCapability"), .kind = &kind_cap_add, AT(bounding, uint64_t), .flags = SET_LIST, .brief = "capabilities added to the bounding set", .example = "NET_RAW" },
	{ CONTAINER("DropCapability"), .kind = &kind_cap_drop, AT(bounding, uint64_t), .flags = SET_LIST, .brief = "capabilities taken from it; all: all", .example = "all" },
	{ CONTAINER("Ulimit"), LIST_IN(limits, kind_ulimit), .brief = "a resource limit in Podman's spelling", .example = "nofile=1024:2048" },

	{ CONTAINER("Entrypoint"), .kind = &kind_entrypoint, .brief = "the program, in place of its image's entrypoint",
	  .about = "Words, or a JSON array of them. What Exec= says follows; what its image says of arguments does not.", .example = "/usr/local/bin/start --wait" },
	{ CONTAINER("Exec"), .kind = &kind_args, .brief = "the arguments, in place of those that its image says",
	  .about = "They follow the entrypoint, Entrypoint= or the image's; without any they are the whole command. $VARIABLES are those of "
		   "ExecStart=, its prefixes are not known here.", .example = "serve --listen 127.0.0.1:8080" },
	ALIAS(IN_CONTAINER, "Environment", "Environment"),
	ALIAS(IN_CONTAINER, "EnvironmentFile", "EnvironmentFile"), ALIAS(IN_CONTAINER, "User", "User"),
	ALIAS(IN_CONTAINER, "Group", "Group"), ALIAS(IN_CONTAINER, "GroupAdd", "SupplementaryGroups"),
	ALIAS(IN_CONTAINER, "WorkingDir", "WorkingDirectory"), ALIAS(IN_CONTAINER, "StopSignal", "KillSignal"),
	ALIAS(IN_CONTAINER, "StopTimeout", "TimeoutStopSec"), ALIAS(IN_CONTAINER, "NoNewPrivileges", "NoNewPrivileges"),
	ALIAS(IN_CONTAINER, "Rootfs", "RootDirectory"), ALIAS(IN_CONTAINER, "ReloadCmd", "ExecReload"),
	ALIAS(IN_CONTAINER, "ReloadSignal", "ReloadSignal"), ALIAS(IN_UNIT, "BindTo", "BindsTo"),

	/* [Install] */
	{ INSTALL("WantedBy"), LIST_IN(needs, kind_units), .min = EDGE_WANTS | EDGE_AFTER | MENTION_REVERSED | MENTION_INSTALL, .brief = "targets that want this unit",
	  .about = "A unit whose file is there is started at boot, whatever this says. A target that is there too gets a Wants= on it.", .example = "multi-user.target" },
	{ INSTALL("RequiredBy"), LIST_IN(needs, kind_units), .min = EDGE_REQUIRES | EDGE_AFTER | MENTION_REVERSED | MENTION_INSTALL, .brief = "the same with Requires=", .example = "app.target" },

	/* [Image] of a .image file */
	{ IMAGE("Layer"), LIST_IN(layers, kind_layers), .brief = "the layers of the image, lowest first", .example = "debian tools" },

	/* coppice.conf */
	{ MANAGER("ImagePath"), .kind = &kind_paths, ON(image_paths, list_at), .flags = SET_LIST, .preset = "/var/lib/coppice/images", .brief = "where images lie", .example = "/srv/images" },
	{ MANAGER("VolumePath"), .kind = &kind_path, ON(volume_path, text_at), .preset = "/var/lib/coppice/volumes", .brief = "where volumes lie", .example = "/srv/volumes" },
	{ MANAGER("ShutdownTimeoutSec"), .kind = &kind_house_timeout, ON(shutdown_timeout, msec_t), .preset = "auto", .brief = "how long a shutdown may take in all",
	  .about = "It is shared out in reverse dependency order. auto: 9s in Docker and Podman, 25s in Kubernetes, 55s in LXC, LXD and Incus, else 90s.", .example = "20s" },
	{ MANAGER("ExitPolicy"), .kind = &kind_word, ON(exit_policy, uint8_t), .words = (const char *const[]){ "never", "all", "any", "any-failure", NULL }, .preset = "never",
	  .brief = "when the container ends by itself",
	  .about = "all: when every unit has ended. any: with the first. any-failure: with the first that fails, and with its status.", .example = "any-failure" },
	{ MANAGER("Supervise"), .kind = &kind_word, ON(supervise, uint8_t), .words = (const char *const[]){ "auto", "restart", "once", "exec", NULL }, .preset = "auto",
	  .brief = "what is done with the single app of --oci",
	  .about = "restart: it is started again when it fails; when it fails five times within ten seconds, the container ends with its status. "
		   "once: the container ends with it. exec: it takes the place of PID 1 after the boot steps. auto: exec where it is an init, "
		   "such as /init and /sbin/init, else restart.", .example = "once" },
	{ MANAGER("On*"), .kind = &kind_on_signal, .at = offsetof(struct house, on_signal),
	  .words = (const char *const[]){ "exit", "poweroff", "halt", "reboot", "reload", "dump", "reopen-logs", "ignore", "forward", NULL },
	  .brief = "what a signal to PID 1 means: OnSIGTERM= and so on",
	  .about = "dump: say the state of every unit. reopen-logs: open the control socket anew. forward: send it to the main process of the unit app, where there is none to those of every unit with Critical=yes.", .example = "exit" },
	{ MANAGER("DefaultEnvironment"), .kind = &kind_env, ON(default_env, list_at), .flags = SET_LIST, .brief = "variables of all units", .example = "TZ=UTC" },
	{ MANAGER("Default*"), .kind = &kind_none, .flags = SET_LIST, .brief = "another default for a setting of units: DefaultRestartSec= and so on", .example = "5s" },
	{ MANAGER("LogFormat"), .kind = &kind_word, ON(log_format, uint8_t), .words = (const char *const[]){ "text", "json", NULL }, .preset = "text",
	  .brief = "what the container's output carries", .example = "json" },
	{ MANAGER("ControlGroup"), .kind = &kind_user, ON(control_group, text_at), .brief = "the group that may ask, and not command, on the control socket", .example = "adm" },
	{ MANAGER("HostSocket"), .kind = &kind_path, ON(host_socket, text_at), .brief = "the socket of a host that mounts images for us; taken, and without effect in this version", .example = "/run/host.sock" },

	{ BOOT("Hostname"), .kind = &kind_name, ON(hostname, text_at), .brief = "the host's name; what it is, where nothing is said", .example = "web1" },
	{ BOOT("WriteHosts"), .kind = &kind_word, ON(write_hosts, uint8_t), .words = (const char *const[]){ "missing", "yes", "no", NULL }, .preset = "missing",
	  .brief = "whether /etc/hosts is written", .about = "missing: where it is missing, empty, or ours of an earlier boot. yes: whatever it holds.", .example = "no" },
	{ BOOT("Tmpfs"), .kind = &kind_lines, ON(tmpfs, list_at), .flags = SET_LIST,
	  .preset = "/dev/shm:mode=1777,nosuid,nodev\n/run:mode=0755,nosuid,nodev\n/tmp:mode=1777,nosuid,nodev",
	  .brief = "memory as a file system; copyup keeps what the image has there", .example = "/var/cache:size=64M,copyup" },
	{ BOOT("Mount"), .kind = &kind_lines, ON(mounts, list_at), .flags = SET_LIST, .max = 1, .brief = "what:where:type[:options]", .example = "tmpfs:/scratch:tmpfs:size=1G" },
	{ BOOT("EnvironmentFile"), .kind = &kind_optional_path, ON(env_file, text_at), .brief = "a file of variables for PreLaunch= and all units",
	  .about = "It is read as data at boot and at daemon-reload, with the syntax of the units' own EnvironmentFile=, and never executed. DefaultEnvironment= and what a unit says outdo it.", .example = "-/etc/environment" },
	{ BOOT("PreLaunch"), .kind = &kind_optional_path, ON(prelaunch, text_at), .preset = "-/lxd-prelaunch", .brief = "a program run before the units, when [Network] is up or had its time",
	  .about = "It may take a minute. A stop that comes meanwhile ends it.", .example = "-/usr/local/bin/prepare" },
	{ BOOT("RealInit"), .kind = &kind_optional_path, ON(realinit, text_at), .preset = "-/lxd-realinit", .brief = "a file bound over /sbin/init", .example = "-/lxd-realinit" },

	{ SYSCTL("net.ipv4.ip_forward"), .kind = &kind_sysctl, ON(sysctls, list_at), .preset = "0", .brief = "whether the container routes", .example = "1" },
	{ SYSCTL("net.ipv6.conf.all.forwarding"), .kind = &kind_sysctl, ON(sysctls, list_at), .preset = "0", .brief = "whether the container routes IPv6", .example = "1" },
	{ SYSCTL("*"), .kind = &kind_sysctl, ON(sysctls, list_at), .brief = "any kernel parameter, as sysctl(8) names it", .example = "1024" },

	{ NETWORK("Interface"), .kind = &kind_network, ON(networks, list_at), .max = 0, .preset = "eth0", .brief = "the interface that the section is about", .example = "eth1" },
	{ NETWORK("DHCP"), .kind = &kind_network, ON(networks, list_at), .max = 1, .words = (const char *const[]){ "ipv4", "no", NULL }, .preset = "ipv4",
	  .brief = "where its address comes from", .about = "With Address= the default is no.", .example = "no" },
	{ NETWORK("Address"), .kind = &kind_network, ON(networks, list_at), .max = 2, .brief = "its address and the size of its network", .example = "192.0.2.10/24" },
	{ NETWORK("Gateway"), .kind = &kind_network, ON(networks, list_at), .max = 3, .brief = "where other networks are reached", .example = "192.0.2.1" },
	{ NETWORK("DNS"), .kind = &kind_network, ON(networks, list_at), .flags = SET_LIST, .max = 4, .brief = "name servers", .example = "192.0.2.53 2001:db8::53" },
	{ NETWORK("Domains"), .kind = &kind_network, ON(networks, list_at), .flags = SET_LIST, .max = 5, .brief = "domains searched", .example = "example.org" },
	{ NETWORK("UseDNS"), .kind = &kind_net_bool, ON(networks, list_at), .preset = "yes", .brief = "take the lease's name servers", .example = "no" },
	{ NETWORK("UseRoutes"), .kind = &kind_net_bool, ON(networks, list_at), .preset = "yes", .brief = "take the lease's routes", .example = "no" },
	{ NETWORK("UseMTU"), .kind = &kind_net_bool, ON(networks, list_at), .preset = "yes", .brief = "take the lease's MTU", .example = "no" },
	{ NETWORK("UseHostname"), .kind = &kind_net_bool, ON(networks, list_at), .preset = "no", .brief = "take the lease's host name", .example = "yes" },
	{ NETWORK("SendHostname"), .kind = &kind_net_bool, ON(networks, list_at), .preset = "yes", .brief = "tell the server our host name", .example = "no" },
	{ NETWORK("RouteMetric"), .kind = &kind_net_number, ON(networks, list_at), .max = UINT32_MAX, .brief = "how dear its routes are", .example = "100" },
	{ NETWORK("NoPrefixRoute"), .kind = &kind_net_bool, ON(networks, list_at), .preset = "no", .brief = "no route for the network of its address", .example = "yes" },
	{ NETWORK("WaitOnlineSec"), .kind = &kind_net_span, ON(networks, list_at), .preset = "5s", .brief = "how long boot may wait for a lease", .example = "1s" },
};

const uint32_t n_settings = sizeof(settings) / sizeof(*settings);
_Static_assert(sizeof(settings) / sizeof(*settings) <= MAX_SETTINGS, "raise MAX_SETTINGS");

/* Which kinds of unit have the section: a bit for each; 0: coppice.conf has it. */
#define ALL_KINDS ((1u << N_UNIT_KINDS) - 1)
static const struct { const char *name; uint32_t kinds; } sections[N_SECTIONS] = {
	[IN_UNIT]      = { "Unit", ALL_KINDS },
	[IN_SERVICE]   = { "Service", 1u << UNIT_SERVICE },
	[IN_CONTAINER] = { "Container", 1u << UNIT_SERVICE },
	[IN_INSTALL]   = { "Install", ALL_KINDS },
	[IN_VOLUME]    = { "Volume", 1u << UNIT_VOLUME },
	[IN_IMAGE]     = { "Image", 1u << UNIT_IMAGE },
	[IN_TIMER]     = { "Timer", 1u << UNIT_TIMER },
	[IN_SOCKET]    = { "Socket", 1u << UNIT_SOCKET },
	[IN_QUADLET]   = { "Quadlet", 1u << UNIT_SERVICE | 1u << UNIT_IMAGE | 1u << UNIT_VOLUME },
	[IN_MANAGER]   = { "Manager", 0 },
	[IN_BOOT]      = { "Boot", 0 },
	[IN_SYSCTL]    = { "Sysctl", 0 },
	[IN_NETWORK]   = { "Network", 0 },
};

const char *section_name(enum section s)
{
	return sections[s].name;
}

int section_of(const char *name)
{
	for (int i = 0; i < N_SECTIONS; i++)
		if (!strcmp(sections[i].name, name))
			return i;
	return -1;
}

bool section_fits(enum section s, enum unit_kind kind)
{
	return sections[s].kinds >> kind & 1;
}

bool section_is_house(enum section s)
{
	return !sections[s].kinds;
}

static uint32_t hash_of(enum section section, const char *name)
{
	uint32_t h = 2166136261u ^ (uint32_t)section;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h ^ h >> 15;
}

#define SLOTS (sizeof(((struct setting_index *)0)->slots) / sizeof(uint16_t))
_Static_assert(SLOTS >= (size_t)2 * MAX_SETTINGS, "the index must stay half empty");

static uint32_t exact(const struct setting_index *ix, enum section section, const char *name)
{
	for (uint32_t h = hash_of(section, name) % SLOTS; ix->slots[h]; h = (h + 1) % SLOTS) {
		const struct setting *s = &settings[ix->slots[h] - 1];

		if (s->section == section && !strcmp(s->name, name))
			return ix->slots[h] - 1u;
	}
	return NO_SETTING;
}

void settings_index(struct setting_index *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < n_settings; i++) {
		uint32_t h = hash_of(settings[i].section, settings[i].name) % SLOTS;

		while (ret->slots[h])
			h = (h + 1) % SLOTS;
		ret->slots[h] = (uint16_t)(i + 1);
	}
	for (uint32_t i = 0; i < n_settings; i++) {
		const struct setting *s = &settings[i];
		uint32_t real = i;

		if (s->same) {
			real = exact(ret, s->section == IN_CONTAINER ? IN_SERVICE : s->section, s->same);
			if (real == NO_SETTING)
				real = i;
		}
		ret->real[i] = (uint16_t)real;
		ret->reset[i] = (uint16_t)real;
		if (s->resets && exact(ret, s->section, s->resets) != NO_SETTING)
			ret->reset[i] = (uint16_t)exact(ret, s->section, s->resets);
	}
}

uint32_t settings_find(const struct setting_index *ix, enum section section, const char *name)
{
	uint32_t found = exact(ix, section, name);

	if (found == NO_SETTING && section == IN_SERVICE)
		found = exact(ix, IN_CONTAINER, name);
	if (found != NO_SETTING)
		return found;
	/* The row that stands for many names: the one with the longest beginning, "*" last. */
	size_t best = 0;

	for (uint32_t i = 0; i < n_settings; i++) {
		size_t n = strlen(settings[i].name);

		if (settings[i].section != section || settings[i].name[n - 1] != '*')
			continue;
		if (!strncmp(settings[i].name, name, n - 1) && name[n - 1] && n > best) {
			best = n;
			found = i;
		}
	}
	return found;
}

uint32_t settings_anywhere(const char *name, bool house)
{
	for (uint32_t i = 0; i < n_settings; i++)
		if (!strcmp(settings[i].name, name) && section_is_house(settings[i].section) == house)
			return i;
	return NO_SETTING;
}

struct walk { uint32_t at; enum section section; };

static const char *next_name(void *self)
{
	struct walk *w = self;

	while (w->at < n_settings) {
		const struct setting *s = &settings[w->at++];
		bool here = s->section == w->section || (s->section == IN_CONTAINER && w->section == IN_SERVICE);

		if (here && !strchr(s->name, '*'))
			return s->name;
	}
	return NULL;
}

const char *settings_nearest(enum section section, const char *name)
{
	struct walk w = { .section = section };

	return text_nearest(name, next_name, &w);
}
