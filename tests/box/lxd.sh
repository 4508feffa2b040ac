#!/usr/bin/env bash
# lxd.sh - the LXD image of conf/examples/lxd: what LXD would write by its templates, and what coppice makes of it.
#
# No LXD runs here. This does what it does, by its documentation (image_format.md) and its code: the keys of each template,
# a file that is there is truncated and keeps its mode, a new one gets 0644, config_get() trims newlines at the end.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

lxd=$box_top/conf/examples/lxd

# manager COMMAND...: check; "write EVENT ROOT NAME [KEY=VALUE...]".
manager() {
	"$box_python" - "$lxd" "$@" <<-'PYTHON'
		import json, os, re, sys

		def read(path):
		    """The YAML that such files are made of: maps by indentation, lists of words, quoted words, comments."""
		    top, stack = {}, []
		    for n, line in enumerate(open(path), 1):
		        line = line.rstrip("\n")
		        if not line.strip() or line.lstrip().startswith("#"):
		            continue
		        found = re.fullmatch(r"( *)(?:- (\S+)|([^\s:]+):(?: (\S.*))?)", line)
		        if not found or "\t" in line:
		            sys.exit(f"{path}:{n}: {line!r}")
		        depth, item, key, value = len(found[1]), found[2], found[3], found[4]
		        while stack and (stack[-1][0] >= depth if item is None else stack[-1][0] > depth):
		            stack.pop()
		        here = stack[-1][1] if stack else None
		        if item is not None:
		            if here["map"][here["key"]] is None:
		                here["map"][here["key"]] = []
		            here["map"][here["key"]].append(item)
		            continue
		        if here is None:
		            at = top
		        else:
		            at = here["map"][here["key"]] = here["map"][here["key"]] or {}
		        if key in at:
		            sys.exit(f"{path}:{n}: {key} again")
		        if value is not None:
		            value = value[1:-1] if value[0] == '"' else int(value) if value.isdigit() else value
		        at[key] = value
		        stack.append((depth, {"map": at, "key": key}))
		    return top

		def render(text, name, config):
		    """Of pongo2: the two expressions that the templates use. Any other one is an error."""
		    text = text.replace("{{ instance.name }}", name)
		    text = re.sub(r'\{\{ config_get\("([^"]*)", "([^"]*)"\) \}\}',
		                  lambda m: config[m[1]].rstrip("\r\n") if m[1] in config else m[2], text)
		    if re.search(r"\{[{%]", text):
		        sys.exit(f"an expression that this does not know: {text!r}")
		    return text

		lxd, word, *rest = sys.argv[1:]
		image = read(f"{lxd}/metadata.yaml")
		if word == "show":
		    json.dump(image, sys.stdout, sort_keys=True)
		elif word == "yaml":
		    import yaml
		    json.dump(yaml.safe_load(open(f"{lxd}/metadata.yaml")), sys.stdout, sort_keys=True)
		elif word == "targets":
		    print(*sorted(image["templates"]))
		elif word == "files":
		    print(*sorted(rule["template"] for rule in image["templates"].values()))
		elif word == "write":
		    event, root, name, *settings = rest
		    config = dict(s.split("=", 1) for s in settings)
		    for path, rule in image["templates"].items():
		        if event not in rule["when"]:
		            continue
		        text = render(open(f"{lxd}/templates/{rule['template']}").read(), name, config)
		        is_new = not os.path.exists(root + path)
		        with open(root + path, "w") as f:
		            f.write(text)
		        if is_new:
		            os.chmod(root + path, 0o644)
		            print("new", path)
	PYTHON
}

# preset SETTING: as the manual has it, which is made of the table of settings.
preset() {
	awk -v name="$1=" '$0 == ".It Cm " name { here = 1 } here && /^[.]Ql / { gsub(/\\/, "", $2); print $2; exit }' \
		"$box_top/man/coppice.conf.5"
}

# --- the image's description ----------------------------------------------------------------------------------

check_ok "metadata.yaml can be read" manager show
check_ok "it has what LXD asks for" eval 'manager show | grep -q "\"architecture\": \"x86_64\", \"creation_date\": [0-9]"'
if "$box_python" -c 'import yaml' 2>/dev/null; then
	check "a real reader reads the same" "$(manager yaml)" = "$(manager show)"
else
	skip "a real reader reads the same" "no yaml in $box_python; install python3-yaml"
fi
check "the templates are all there, and no more" "$(manager files)" = "$(cd "$lxd/templates" && echo *)"
check "their targets are what coppice looks at" "$(manager targets)" = "/etc/hostname /etc/hosts $(preset PreLaunch | cut -c 2-)"
check "the README names them" "$(for path in $(manager targets); do grep -oF -m 1 "| \`$path\` |" "$lxd/README.md"; done | tr -d '|` \n')" = \
	"$(manager targets | tr -d ' ')"
check_ok "and the key that the template takes" eval 'grep -o "user[.a-z]*" "$lxd/templates/prelaunch.tpl" | xargs -I{} grep -q "config set app1 {}" "$lxd/README.md"'

# --- an instance ----------------------------------------------------------------------------------------------

rm "$BOX/root/sbin/init" "$BOX/root/usr/bin/coppice"
ln -s ../bin/busybox "$BOX/root/sbin/init"
cp "$COPPICE" "$BOX/root/usr/bin/coppice" # what lies at /sbin/init is the real init's, once it is up
cat >"$BOX/app.json" <<-'JSON'
	[{"Config":{"Env":["PATH=/bin","GREETING=of the image","OTHER=of the image"],"WorkingDir":"/srv/app","StopSignal":"SIGUSR1",
	  "Entrypoint":["sh","/bin/app"],"Cmd":["one argument"]}}]
JSON
script app <<-'SCRIPT'
	trap 'echo bye >/srv/app/end; exit 0' USR1
	(
		echo "$GREETING"
		echo "$OTHER"
		pwd
		echo "$@"
		cat /run/prepared
	) >/run/app.new
	mv /run/app.new /run/app
	while :; do
		sleep 60 &
		wait $!
	done
SCRIPT
check_ok "the README's way: install" "$COPPICE" install --oci "$BOX/app.json" "$BOX/root"
install -m 755 /dev/null "$BOX/root/lxd-prelaunch"

# start [KEY=VALUE...]: as `lxc start web1` does it, up to the units.
start() {
	manager write start "$BOX/root" web1 "$@" >"$BOX/new"
	box_spawn "$BOX/root" "$box_console" container=lxc PATH=/usr/bin:/bin GREETING="of LXD" \
		"$(command -v busybox)" sh -c 'busybox hostname web1 && exec "$@"' sh -- /sbin/init || give_up "PID 1 starts"
	soon '[[ -S /proc/$BOX_PID/root/run/coppice/control.sock ]] && ctl rpc ping' || give_up "PID 1 answers"
	wait_for 'in_box test -e /run/app'
}

rm -f "$BOX/root/etc/hostname" "$BOX/root/etc/hosts"
manager write create "$BOX/root" web1 >"$BOX/new"
check "created: hostname and hosts" "$(xargs <"$BOX/new")" = "new /etc/hostname new /etc/hosts"
cp "$BOX/root/etc/hosts" "$BOX/hosts"
printf '#!/bin/sh\nhostname >/run/prepared\n' >"$BOX/prepare"
start "user.coppice.prelaunch=$(<"$BOX/prepare")"
check "the pre-launch file was there, and is still a program" "$(wc -c <"$BOX/new") $(stat -c %a "$BOX/root/lxd-prelaunch")" = "0 755"
check "the name, in all three places" \
	"$(in_box hostname) $(in_box cat /etc/hostname) $(in_box awk '/^127.0.1.1/ { print $2 }' /etc/hosts)" = "web1 web1 web1"
check_ok "the hosts stay as LXD wrote them" cmp "$BOX/hosts" "$BOX/root/etc/hosts"
check_ok "and know localhost" grep -q '^127.0.0.1.*localhost' "$BOX/root/etc/hosts"
check "LXD's environment wins, the directory is made, and pre-launch came first" \
	"$(in_box cat /run/app | xargs)" = "of LXD of the image /srv/app one argument web1"
check_ok "who looks at /sbin/init sees the real one" in_box cmp /sbin/init /bin/busybox
down PWR
check "lxc stop: an ordered end, by the image's stop signal" "$STATUS $(<"$BOX/root/srv/app/end")" = "0 bye"

echo '127.0.1.1 mine' >>"$BOX/root/etc/hosts"
cp "$BOX/root/etc/hosts" "$BOX/hosts"
start
check_fails "without the key: nothing runs before the app" in_box test -e /run/prepared
check_fails "and nobody complains" grep -i 'prelaunch' "$BOX/console"
check_ok "a start leaves the user's hosts alone" cmp "$BOX/hosts" "$BOX/root/etc/hosts"
down PWR
check "a clean stop" "$STATUS" = 0
manager write copy "$BOX/root" web2 >"$BOX/new"
check "a copy is called by its own name" "$(<"$BOX/root/etc/hostname") $(awk '/^127.0.1.1/ { print $2 }' "$BOX/root/etc/hosts")" = "web2 web2"
done_testing
