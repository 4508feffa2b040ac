#!/bin/sh
# layers.sh - reads every include and call in the tree and fails on one that is where it may not be.
#
#              init
#                |
#            supervise
#             /     \
#         mount     health      strangers to each other
#             \     /
#              conf
set -u
cd "${0%/*}/.." || exit

# breaches TREE RULE - prints one line for each breach of a rule: layers, waiting, reaping or purity.
breaches() {
	(
		cd "$1" || exit
		# shellcheck disable=SC2046 # our own file names hold no blanks
		awk -v rule="$2" '
		BEGIN {
			may["conf"] = "conf"
			may["mount"] = "conf mount"
			may["health"] = "conf health"
			may["supervise"] = "conf mount health supervise"
			may["init"] = "conf mount health supervise init"
			acts = "sys_[a-z_]+|f?open(at)?|f?(read|write)v?|close|fput[sc]|v?f?printf|ioctl|fcntl|l?f?stat(at|vfs)?|" \
				"mount|umount2?|mkdir(at)?|unlink(at)?|rename(at)?|chdir|chroot|socket|connect|bind|listen|" \
				"accept4?|send(to|msg)?|recv(from|msg)?|fork|vfork|clone|execv[pe]*|kill|waitid|waitpid|" \
				"syscall|prctl|[sg]et(env|pid|uid|gid|rlimit|random|timeofday)|time|clock_[gs]ettime|s?rand(om)?"
		}
		function breach(text) { print FILENAME ":" FNR ": " text }
		# calls(NAMES) - does this line of code call one of them?
		function calls(names) { return code ~ "(^|[^A-Za-z0-9_.>])(" names ")[ \t]*\\(" }

		FNR == 1 {
			dir = FILENAME
			sub("/.*", "", dir)
			opening = 1; pure = 0; comment = 0
		}
		opening && /(^|[^A-Za-z])pure([^A-Za-z]|$)/ { pure = 1 }
		/\*\// { opening = 0 }
		{
			# Comments and strings call nothing. This sees comments as they are written here.
			code = $0
			gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
			gsub(/\/\*([^*]|\*[^\/])*\*\//, "", code)
			sub("//.*", "", code)
			if (comment) { if (!sub(/^.*\*\//, "", code)) code = ""; else comment = 0 }
			if (sub(/\/\*.*/, "", code)) comment = 1
		}
		rule == "layers" && match($0, /^[ \t]*#[ \t]*include[ \t]*"/) {
			to = substr($0, RLENGTH + 1)
			sub("\".*", "", to)
			if (to !~ "/") breach("\"" to "\" is not written from the root of the tree")
			else {
				sub("/.*", "", to)
				if (!index(" " may[dir] " ", " " to " "))
					breach(dir "/ may not include " to "/; it may use: " may[dir])
			}
		}
		# PID 1 sleeps in one place. Its helpers, and who unmounts at the end, are processes of their own.
		rule == "waiting" && calls("sys_doze|sys_epoll_wait|epoll_p?wait2?|p?poll|select|pause|(nano|u)?sleep") &&
		FILENAME !~ "^(conf/kit/sys[.][ch]|supervise/(loop|pidfile)[.]c|health/|init/(loader[.]c|machine[.]c|net/|control/|cli/))" {
			breach("only supervise/loop.c may wait; ask it to watch the descriptor")
		}
		rule == "reaping" && calls("waitid|waitpid|wait[34]?") && FILENAME !~ "^(conf/kit/sys[.]c$|init/cli/|init/shim[.]c$)" {
			breach("only conf/kit/sys.c may wait for children; use sys_reap")
		}
		rule == "purity" && pure && /^[ \t]*#[ \t]*include[ \t]*<unistd[.]h>/ {
			breach("this file calls itself pure, and may not include <unistd.h>")
		}
		# Headers full of names, such as those of limits and capabilities, are welcome; acting is not.
		rule == "purity" && pure && calls(acts) {
			breach("this file calls itself pure, and may not act: " $0)
		}
		' $(find conf mount health supervise init -name '*.[ch]' 2>/dev/null | sort) /dev/null
	)
}

n=0 failed=0
# report GOOD TEXT
report() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

# A check that cannot fail checks nothing: each rule must first catch what is planted for it.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
mkdir -p "$planted/conf/kit" "$planted/health" "$planted/supervise" "$planted/mount"
printf '/* a.c - plain. */\n#include "supervise/loop.h"\n' >"$planted/health/a.c"
printf '/* b.c - "the" pure one. */\n#include <unistd.h>\n/* time(0) */ int time;\n' >"$planted/conf/b.c"
printf '/* e.c - a pure one. */\n#include <sys/types.h>\nint a = say_open(t), b = x.open(1), c = time(0);\n' >"$planted/conf/e.c"
printf '/*\n * c.c - may say epoll_wait(2) here.\n */\n\tn = epoll_wait(fd, &e, 1, -1); /* x */\n' >"$planted/mount/c.c"
printf '/* d.c - plain. */\nint n; /* waitpid(1) */ int m = waitpid(pid, 0, 0);\n' >"$planted/supervise/d.c"
# caught RULE WANTED
caught() {
	found=$(breaches "$planted" "$1")
	[ "$found" = "$2" ]
	report $? "a breach of $1 is caught"
	[ "$found" = "$2" ] || printf '# want: %s\n# have: %s\n' "$2" "$found"
}
caught layers 'health/a.c:2: health/ may not include supervise/; it may use: conf health'
caught purity 'conf/b.c:2: this file calls itself pure, and may not include <unistd.h>
conf/e.c:3: this file calls itself pure, and may not act: int a = say_open(t), b = x.open(1), c = time(0);'
caught waiting 'mount/c.c:4: only supervise/loop.c may wait; ask it to watch the descriptor'
caught reaping 'supervise/d.c:2: only conf/kit/sys.c may wait for children; use sys_reap'

for rule in layers waiting reaping purity; do
	found=$(breaches . "$rule")
	[ ! "$found" ]
	report $? "$rule: nothing is where it may not be"
	[ ! "$found" ] || echo "$found" | sed 's/^/# /'
done
echo "1..$n"
exit $failed
