#!/usr/bin/env bash
# docker.sh - under Docker: the Containerfile of our examples, built, run, stopped, started again, watched by its health check.
# shellcheck disable=SC2016
engine_programs='dockerd containerd runc docker' engine_packages='docker.io'
# Where it would be started at once, with a bridge and packet filters for the whole machine, it is for people to install.
[[ ! -d /run/systemd/system ]] || engine_packages=
# shellcheck source=tests/lib/engines.sh
. "${0%/*}/../lib/engines.sh"

# --- Docker, as the machine has it, in directories of ours ---------------------------------------------------------

mkdir -p /etc/docker
mount -t tmpfs -o mode=755 docker /etc/docker
ln -s root/sbin/init "$BOX/docker-init"
cat >/etc/docker/daemon.json <<-JSON
	{
		"data-root": "$BOX/docker", "exec-root": "/run/docker", "pidfile": "/run/docker.pid", "hosts": ["unix:///run/docker.sock"],
		"bridge": "none", "iptables": false, "ip6tables": false, "ip-forward": false, "ip-masq": false,
		"storage-driver": "overlay2", "exec-opts": ["native.cgroupdriver=cgroupfs"], "log-level": "warn",
		"init-path": "$BOX/docker-init",
		"default-ulimits": {"nofile": {"Name": "nofile", "Soft": $(limit 20000 -n), "Hard": $(limit 20000 -n)}}
	}
JSON
engine=docker
export DOCKER_HOST=unix:///run/docker.sock
daemon() {
	setpriv --pdeathsig KILL dockerd >>"$BOX/console" 2>&1 &
	dockerd=$!
	soon '[[ ! -e /proc/$dockerd ]] || e version' 30
	[[ -e /proc/$dockerd ]] || give_up "dockerd starts" "$(tail -n 5 "$BOX/console")"
}
daemon

shop
small

# --- the container ------------------------------------------------------------------------------------------------

stops
exits
restarts

# --- health -------------------------------------------------------------------------------------------------------

health() { [[ $(state asked Health.Status) == "$1" ]]; }
run asked --health-interval=200ms --health-retries=2 --health-start-period=1ms shop
wait_for 'health healthy'
check "Docker asks, and the container is healthy" "$(units asked web)" = ready
e exec asked /usr/bin/coppice exec web rm /well
wait_for 'health unhealthy'
check "a unit is not well: the container is unhealthy" "$(units asked web)" = unhealthy
check_ok "why is told, too" eval 'e inspect --format "{{json .State.Health.Log}}" asked | grep -q "\"ExitCode\":1,.*web unhealthy"'
e exec asked /usr/bin/coppice exec web touch /well
wait_for 'health healthy'
check "it is well again, and so is the container" "$(units asked web)" = ready
gone asked

# --- the daemon itself stops and comes back, as with its machine ---------------------------------------------------

run lasting --restart=unless-stopped shop
up lasting
kill -TERM $dockerd
wait $dockerd
check "dockerd stops: it does so well" $? = 0
daemon
up lasting
check "its container was stopped in order, and is up again with it" "$(units lasting web db) $(traced lasting)" = "ready running $life 2 serving"
gone lasting

# --- in place of docker-init ---------------------------------------------------------------------------------------

check_ok "Docker knows the version of what init-path names" eval 'e version | grep -A 1 "docker-init:" | grep "Version: .*coppice"'
stands_in --init
poor
done_testing
