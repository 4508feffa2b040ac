#!/usr/bin/env python3
"""bundle.py - writes an OCI bundle's config.json to stdout, as Docker, Podman or a Kubernetes node would.

    bundle.py docker|podman|kubernetes ROOT [--user-namespace] [--bind FROM:TO]... -- ARG...

Capabilities, mounts, masked and read-only paths are those of `docker run` and `podman run` without options
(oci/defaults.go of moby, pkg/specgen of podman, the CRI defaults of containerd). Of the seccomp profile there is
what it refuses to a container without CAP_SYS_ADMIN and CAP_SYS_BOOT; what it allows needs no list here.
"""
import argparse
import json

CAPS = {
    "docker": "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE",
    "podman": "CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT",
}
CAPS["kubernetes"] = CAPS["docker"]
ENV = {
    "docker": ["HOSTNAME=5f1d6e0c9a3b"],
    "podman": ["container=podman", "HOSTNAME=5f1d6e0c9a3b", "HOME=/root"],
    "kubernetes": ["HOSTNAME=web-0", "KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443",
                   "KUBERNETES_PORT=tcp://10.96.0.1:443"],
}
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
REFUSED = ["mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
           "setns", "unshare", "reboot", "swapon", "swapoff", "sethostname", "setdomainname", "bpf", "perf_event_open",
           "keyctl", "add_key", "request_key", "quotactl", "kexec_load", "init_module", "finit_module", "delete_module",
           "syslog", "acct", "settimeofday", "clock_settime", "open_by_handle_at", "userfaultfd", "name_to_handle_at"]


def mount(to, kind, *options, source=None):
    return {"destination": to, "type": kind, "source": source or kind, "options": list(options)}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("manager", choices=CAPS)
    p.add_argument("root")
    p.add_argument("--user-namespace", action="store_true")
    p.add_argument("--bind", action="append", default=[])
    p.add_argument("args", nargs="+")
    a = p.parse_args()
    caps = ["CAP_" + c for c in CAPS[a.manager].split()]
    mounts = [
        mount("/proc", "proc", "nosuid", "noexec", "nodev"),
        mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        mount("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k", source="shm"),
    ]
    for pair in a.bind:
        source, to = pair.split(":")
        mounts.append(mount(to, "bind", "bind", "ro", source=source))
    linux = {
        "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount")],
        "maskedPaths": MASKED,
        "readonlyPaths": READONLY,
        "seccomp": {
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [
                {"names": REFUSED, "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
                {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            ],
        },
    }
    if a.user_namespace:
        linux["namespaces"].append({"type": "user"})
        linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": 300000, "size": 65536}]
    print(json.dumps({
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": a.args,
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] + ENV[a.manager],
            "cwd": "/",
            "capabilities": {k: caps for k in ("bounding", "effective", "permitted")},
        },
        "root": {"path": a.root},
        "hostname": "5f1d6e0c9a3b",
        "mounts": mounts,
        "linux": linux,
    }, indent=1))


if __name__ == "__main__":
    main()
