#!/usr/bin/env bash
# podman.sh - under Podman: the Containerfile and the pod of our examples, built, run, stopped, started again, asked for health.
# shellcheck disable=SC2016
engine_programs='podman runc' engine_packages='podman runc'
# shellcheck source=tests/lib/engines.sh
. "${0%/*}/../lib/engines.sh"

# --- Podman, as the machine has it, in directories of ours ---------------------------------------------------------

mkdir -p /etc/containers
mount -t tmpfs -o mode=755 containers /etc/containers
# runc, for crun wants limits raised that a VM may not raise, and refuses mixed cgroups.
cat >/etc/containers/containers.conf <<-TOML
	[containers]
	default_ulimits = ["nofile=$(limit 20000 -n):$(limit 20000 -n)", "nproc=$(limit 32768 -u):$(limit 32768 -u)"]
	pids_limit = 0
	log_driver = "k8s-file"
	[engine]
	runtime = "runc"
	cgroup_manager = "cgroupfs"
	events_logger = "file"
	helper_binaries_dir = ["$BOX/helpers", "/usr/local/libexec/podman", "/usr/libexec/podman", "/usr/lib/podman"]
	[network]
	network_config_dir = "$BOX/net"
TOML
cat >/etc/containers/storage.conf <<-TOML
	[storage]
	driver = "overlay"
	runroot = "$BOX/runroot"
	graphroot = "$BOX/graphroot"
TOML
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
# What holds a pod is catatonit, or what is called so.
mkdir "$BOX/helpers"
init=$BOX/root/sbin/init
cp "$init" "$BOX/helpers/catatonit"
# It complains of each health check: its timers are systemd's, which is not here.
engine=(podman --log-level=fatal)

shop
small

# --- the container ------------------------------------------------------------------------------------------------

stops
exits
restarts

# --- health -------------------------------------------------------------------------------------------------------

# What its timers run.
run asked --health-cmd '["/usr/bin/coppice", "health"]' --health-retries=2 --health-start-period=0s shop
up asked
check_status 0 "podman healthcheck run: 0 where all is well" e healthcheck run asked
check "and the container is healthy" "$(state asked Health.Status)" = healthy
e exec asked /usr/bin/coppice exec web rm /well
wait_for '[[ $(units asked web) == unhealthy ]]'
for try in 1 2; do
	check_status 1 "and 1 where a unit is not: $try" e healthcheck run asked
done
check "the container is unhealthy" "$(state asked Health.Status)" = unhealthy
check_ok "why is told, too" eval 'e inspect --format "{{json .State.Health.Log}}" asked | grep -q web'
e exec asked /usr/bin/coppice exec web touch /well
wait_for '[[ $(units asked web) == ready ]]'
check_status 0 "0 again where it is mended" e healthcheck run asked
check "the container is healthy again" "$(state asked Health.Status)" = healthy
gone asked

# --- by the name of /sbin/init it gets what a systemd would get -----------------------------------------------------

run named --entrypoint=/sbin/init small
up named
check "tmpfs on /run, /tmp and /var/log/journal" "$(e exec named sh -c 'grep -cE " (/run|/tmp|/var/log/journal) tmpfs" /proc/mounts')" = 3
check "the container's id is the machine's" "$(e exec named cat /etc/machine-id)" = "$(e inspect --format '{{printf "%.32s" .ID}}' named)"
e stop named >/dev/null
check "its stop signal is SIGRTMIN+3" "$(said named | grep -c 'stopping: signal 37') $(state named ExitCode) $(traced named)" = "1 0 1 serving web stopped"
gone named

# --- in place of catatonit -----------------------------------------------------------------------------------------

stands_in --init --init-path "$init"
poor

# --- as a pod of Kubernetes ----------------------------------------------------------------------------------------

# Podman 4.3 runs a liveness probe by a shell of the container's own root. The port wants a network.
mkdir "$BOX/pod"
cp "$box_template_dir/bin/busybox" "$BOX/pod/sh"
printf 'FROM shop\nCOPY sh /bin/sh\n' >"$BOX/pod/Containerfile"
e build --format docker -t "$(sed -n 's/^ *image: //p' "$box_top/conf/examples/pod.yaml")" "$BOX/pod" >/dev/null || give_up "the pod's image is built"
sed '/ ports:/,/containerPort:/d' "$box_top/conf/examples/pod.yaml" >"$BOX/pod.yaml"
if ! e kube play --network=none "$BOX/pod.yaml" >/dev/null && grep -q 'reopening /dev/null' "$BOX/console"; then
	skip "kube play" "this Podman and runc make no pods where there is cgroup2 alone"
else
	up shop-shop
	check "kube play of pod.yaml: the units run" "$(units shop-shop web db)" = "ready running"
	check_ok "it is coppice, too, what holds the pod" \
		cmp "/proc/$(state "$(e pod inspect --format '{{.InfraContainerID}}' shop)" Pid)/exe" "$init"
	check "the volume is there" "$(e exec shop-shop /bin/sh -c 'while read -r _ _ _ _ at _; do echo $at; done </proc/self/mountinfo' |
		grep -c '^/var/lib/coppice/volumes$')" = 1
	check_status 0 "the readiness probe" e exec shop-shop /usr/bin/coppice health
	e exec shop-shop /usr/bin/coppice exec web rm /well
	wait_for '[[ $(units shop-shop web) == unhealthy ]]'
	check_status 1 "says when a unit is not well" e exec shop-shop /usr/bin/coppice health
	check_status 0 "the liveness probe: that is no reason to restart the pod" e healthcheck run shop-shop
	e exec shop-shop /usr/bin/coppice exec web touch /well
	check_ok "pod stop" e pod stop shop
	check "is an ordered stop" "$(state shop-shop ExitCode) $(traced shop-shop)" = "0 $life"
	# Alone it would kill at once: it grants no time to stop.
	check_ok "kube down" e kube down "$BOX/pod.yaml"
	check "leaves nothing" "$(e ps --all --quiet | wc -l)" = 0
fi
done_testing
