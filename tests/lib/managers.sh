#!/usr/bin/env bash
# managers.sh - what stories that boot a container by a manager need beside box.sh; they source it after that.
#
# pid1_under PID   the PID 1 of a namespace among the descendants of PID, once it has become $BOX/root's init
# answers          PID 1 has done its boot, and every unit is up
# at_exit          in a story's own at_exit: managers_end removes what managers forget in the cgroup trees
#
# ctl and in_box go into the user namespace, too, where there is one: root of the machine is nobody in there.
#
# shellcheck shell=bash disable=SC2154 # box_unshare is box.sh's

box_enter() {
	[[ $BOX_PID ]] || {
		echo "managers: nothing is running here" >&2
		return 127
	}
	timeout --foreground $((60 * ${BOX_PATIENCE:-1})) nsenter --target "$BOX_PID" --all -- "$@"
}

pid1_under() {
	local child inside
	# shellcheck disable=SC2013 # words are what it holds
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		inside=$(awk '/^NSpid:/ && NF > 2 { print $NF }' "/proc/$child/status" 2>/dev/null)
		if [[ $inside == 1 && $(tr '\0' ' ' <"/proc/$child/cmdline") == ${2:-/sbin/init}* ]]; then
			echo "$child"
			return
		fi
		pid1_under "$child" "${2:-}" && return
	done
	return 1
}

# Also: web has set its trap, and would hear a SIGTERM.
answers() { ctl wait --timeout=1s && [[ $(trace) == *started ]]; }

# All that can be blocked is: what comes from now on is kept until the loop reads it.
hears() { grep -q '^SigBlk:.*fffffffffffbfeff$' "/proc/$BOX_PID/status"; }

managers_end() {
	find /sys/fs/cgroup -maxdepth 2 -depth -type d \( -name lxc.pivot -o -name payload -o -name supervisor \) \
		-exec rmdir {} + 2>/dev/null
}

# A unit that leaves a trace of its life in the container's root, and one in an image.
managers_units() {
	image small
	# What is forked but not executed yet would have our trap and not hear a SIGTERM.
	script serve <<-'EOF'
		sleep inf &
		until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done
		trap 'echo stopped >>/trace; exit 0' TERM
		echo started >>/trace
		echo serving
		wait
	EOF
	unit web <<-'EOF'
		[Service]
		ExecStart=/bin/serve
	EOF
	unit db <<-'EOF'
		[Service]
		Image=small
		ExecStart=/bin/sh -c 'grep -h ^ID= /etc/os-release; exec sleep inf'
	EOF
}
trace() { [[ ! -e $BOX/root/trace ]] || xargs <"$BOX/root/trace"; }
