"""shim-cost.py - what a shim costs: memory while nothing happens, and time until the command runs; beside theirs, in turn."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from shims import KID, OURS, Pid1, Shim, soon, state, tell

MOST = 250  # KiB of PSS at rest
SLOWEST = 1.1  # times tini-static's start
ROUNDS = 400
PEERS = ["tini-static", "tini", "dumb-init", "catatonit"]


def pss(pid):
    soon(lambda: state(pid) == "S")
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def at_rest(path, pid1):
    shim = Shim(os.path.basename(path), path, path != "")
    if pid1:
        with Pid1(shim, [], KID, "record") as one:
            one.life.until("ready")
            one.life.send(12, one.pid)
            one.life.until("12")
            return pss(one.pid)
    with shim.start([], KID, "record") as life:
        life.until("ready")
        life.send(12)
        life.until("12")
        return pss(life.pid)


def main():
    if os.getuid() != 0:
        print("# SKIP needs root, for PID namespaces; try sudo")
        return 77
    failed = number = 0
    with tempfile.TemporaryDirectory(prefix="shims-") as room:
        # A copy, for what somebody else runs of the same file would count half.
        ours = shutil.copy(OURS, room + "/coppice")
        os.symlink("coppice", room + "/tini")
        for path in [ours, room + "/tini"]:
            for pid1 in (False, True):
                got = at_rest(path, pid1)
                number += 1
                failed += got > MOST
                tell(got <= MOST, number, f"{os.path.basename(path)}{' as PID 1' if pid1 else ''}: at rest {got} KiB of PSS, at most {MOST}")
        peers = {name: path for name in PEERS if (path := shutil.which(name))}
        for name, path in peers.items():
            print(f"# {name}: at rest {at_rest(path, False)} KiB")
        runners = [room + "/tini", *(path for name, path in peers.items() if name.startswith("tini"))]
        rounds = subprocess.run([KID, "race", str(ROUNDS), *runners], stdout=subprocess.PIPE, check=True, text=True).stdout
        spans = list(zip(*(map(int, line.split()) for line in rounds.splitlines())))
        medians = [statistics.median(span) / 1000 for span in spans]
        for path, median in zip(runners, medians):
            print(f"# {path}: {median:.0f} us from before its start to its command's first act, median of {ROUNDS}, in turn")
        number += 1
        if "tini-static" in peers:
            ratio = medians[0] / medians[1]
            failed += ratio > SLOWEST
            tell(ratio <= SLOWEST, number, f"start takes {ratio:.2f} times tini-static's, at most {SLOWEST}")
        else:
            tell(True, number, "start is as fast as tini-static's # SKIP tini-static is not here to compare")
    print(f"1..{number}")
    return failed != 0


sys.exit(main())
