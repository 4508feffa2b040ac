"""shim-orphans.py - who is reaped, who is asked to end, and what a shim does when nothing happens; under theirs and under ours."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from shims import KID, Pid1, Shim, behaviour, children, everybody, main, pid1_status, soon, state, status_of, zombies


# ---- orphans ----

def fate(shim, options, env=None):
    with shim.start(options, KID, "orphan", env=env) as life:
        return sorted([life.line(), life.line()])[0]


@behaviour("orphans, where we are not PID 1", want={
    "tini": "lost", "dumb-init": "lost", "catatonit": "adopted", "coppice": "adopted"})
def _(shim):
    return fate(shim, [])


@behaviour("-s and TINI_SUBREAPER adopt them", on="tini", want=["adopted", "adopted"])
def _(shim):
    return [fate(shim, ["-s"]), fate(shim, [], {"TINI_SUBREAPER": ""})]


def reaped(shim, options, n):
    with shim.start(options, KID, "orphans", n) as life:
        life.until("ready")
        soon(lambda: len(children(life.pid)) == 1, 5)
        return len(children(life.pid))


@behaviour("2000 orphans that end at once are reaped, all", on="tini catatonit coppice", want=1)
def _(shim):
    return reaped(shim, ["-s"] if shim.dialect == "tini" else [], 2000)


@behaviour("as PID 1: 500 orphans are reaped", want=1)
def _(shim):
    with Pid1(shim, [], KID, "orphans", 500) as one:
        one.life.until("ready")
        soon(lambda: len(children(one.pid)) == 1, 5)
        return len(children(one.pid))


@behaviour("children from before we were executed are reaped", want=0, theirs={
    "dumb-init": (3, "we look before we wait"), "catatonit": (3, "we look before we wait")})
def _(shim):
    with shim.start([], KID, "record", above=[KID, "inherit", 3]) as life:
        life.until("ready")
        life.send(12)
        life.until("12")  # its loop has begun
        if shim.dialect == "tini":
            soon(lambda: zombies(life.pid) == 0, 2)  # once a second
        return zombies(life.pid)


@behaviour("-w tells of each, and is silent without", on="tini", want=(True, False, False))
def _(shim):
    said = []
    for options, env in ((["-s", "-w"], {}), (["-s"], {}), (["-s", "-w"], {"TINI_VERBOSITY": "0"})):
        with shim.start(options, KID, "orphan", env=env) as life:
            life.line()
            life.line()
            soon(lambda: len(children(life.pid)) == 1)
            life.send(15)
            life.rest()
            said.append("Reaped zombie process with pid=" in life.error.decode())
    return tuple(said)


@behaviour("a warning where orphans are lost, and none where they are not", on="tini", want=[True, False, False, False, False])
def _(shim):
    def warned(options, env=None, **more):
        return "zombie reaping won't work" in shim.run(options, KID, "exit", 0, env=env, **more)[2]
    end, other = os.pipe()
    with os.fdopen(end), os.fdopen(other):
        return [warned([]), warned(["-s"]), warned([], {"TINI_SUBREAPER": ""}), warned([], {"TINI_VERBOSITY": "0"}),
                warned([], above=[KID, "pid1", other], pass_fds=[other])]


@behaviour("whoever executed us may have made us a subreaper", on="tini", want=False)
def _(shim):
    script = "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
    return "zombie" in shim.run([], KID, "exit", 0, above=[sys.executable, "-c", script])[2]


# ---- those whom the command leaves behind ----

def left_behind(shim, options, how, pid1=False):
    """The exit status, and what was heard of the one who was left."""
    scene = Pid1(shim, options, KID, "leave", how, 7) if pid1 else shim.start(options, KID, "leave", how, 7)
    life = scene.life if pid1 else scene
    with scene:
        left = int(life.until("left"))
        begun = time.monotonic()
        status = life.end(20)
        took = time.monotonic() - begun
        said = []
        # PID 1's end is theirs; elsewhere they may be well, and say nothing.
        while (line := life.line(0.15)) is not None:
            said.append(line)
        alive = not pid1 and state(left) not in ("Z", "")
        return status, said, alive, took


@behaviour("as PID 1: whom the command leaves behind is asked to end, and given the time", want=(7, True), theirs={
    name: ((7, False), "nobody is killed without a warning") for name in ("tini", "catatonit", "dumb-init")})
def _(shim):
    status, said, _, _ = left_behind(shim, [], "polite", True)
    return status, said == ["term", "bye"]


@behaviour("as PID 1: with a daemon of a session of its own as well", want=(7, True), theirs={
    name: ((7, False), "nobody is killed without a warning") for name in ("tini", "catatonit", "dumb-init")})
def _(shim):
    status, said, _, _ = left_behind(shim, [], "apart", True)
    return status, said == ["term", "bye"]


@behaviour("as a subreaper: the same, and nobody stays behind", on="tini catatonit coppice", want=[(7, ["term", "bye"], False, True)] * 2, theirs={
    name: ([(7, [], True, True)] * 2, "nobody stays behind") for name in ("tini", "catatonit")})
def _(shim):
    options = ["-s"] if shim.dialect == "tini" else []
    got = [left_behind(shim, options, how) for how in ("polite", "apart")]
    # A daemon's child hears of it with its daemon, and not by SIGKILL.
    return [(*answer, took < 3) for *answer, took in got]


@behaviour("without a mandate, they are left alone", on="tini", want=(7, [], True))
def _(shim):
    return left_behind(shim, [], "polite")[:3]


@behaviour("its group gets SIGTERM; without a session, it does not", on="dumb-init", want=[(7, ["term", "bye"]), (7, [])])
def _(shim):
    return [left_behind(shim, options, "polite")[:2] for options in ([], ["-c"])]


@behaviour("who does not listen gets SIGKILL after 5 s", on="coppice", want=(7, [], "5 s"))
def _(shim):
    status, said, _, took = left_behind(shim, [], "stubborn", True)
    return status, said, "5 s" if 4.8 <= took <= 5.4 else took


@behaviour("a signal to end in that time means at once, a daemon's children included", on="coppice", want=(7, "at once", False))
def _(shim):
    with shim.start([], KID, "leave", "stubborn", 7) as life:
        left = int(life.until("left"))
        soon(lambda: children(life.pid) == [left])
        begun = time.monotonic()
        life.send(15)
        status = life.end(20)
        return status, "at once" if time.monotonic() - begun < 2 else "late", state(left) not in ("Z", "")


# ---- catatonit's pause ----

@behaviour("-P runs nothing and ends well on SIGTERM and SIGINT, and on no other signal", on="catatonit", want=[0, 0])
def _(shim):
    got = []
    for sig in (15, 2):
        with shim.start(["-P"], "/no/such/command") as life:
            soon(lambda: state(life.pid) == "S")
            life.send(10)
            life.send(1)
            life.send(sig)
            got.append(life.end())
    return got


@behaviour("-P reaps", on="catatonit", want=0, theirs={"catatonit": (3, "we look before we wait")})
def _(shim):
    with shim.start(["-P"], above=[KID, "inherit", 3]) as life:
        soon(lambda: os.readlink(f"/proc/{life.pid}/exe") == os.path.realpath(shim.path) and state(life.pid) == "S")
        soon(lambda: zombies(life.pid) == 0, 5 if shim.ours else 0.1)
        return zombies(life.pid)


# ---- at rest ----

wakeups = {}


def watch_all():
    """How often each wakes in a second, all in the same one."""
    lives = {(shim.dialect, shim.ours): shim.start([], KID, "record") for shim in everybody}
    for life in lives.values():
        life.until("ready")
        life.send(12)
        life.until("12")
    time.sleep(0.05)
    count = lambda: {who: int(status_of(life.pid, "voluntary_ctxt_switches")) for who, life in lives.items()}
    before = count()
    time.sleep(1.05)
    after = count()
    wakeups.update({who: after[who] - before[who] for who in lives})
    for life in lives.values():
        life.__exit__()


@behaviour("it sleeps until something happens", want=0, theirs={"tini": (1, "it wakes every second")})
def _(shim):
    if not wakeups:
        watch_all()
    return wakeups[shim.dialect, shim.ours]


# ---- where container managers put it ----

@behaviour("called as managers call it: /sbin/docker-init -- CMD, /run/podman-init -- CMD, /dev/init -- CMD, and asked for its version",
           on="coppice", want=[7, 7, 7, "tini version", "tini version"])
def _(shim):
    there = {}
    for name in ("docker-init", "podman-init", "init"):
        path = os.path.dirname(shim.path) + "/" + name
        os.symlink(os.path.realpath(shim.path), path)
        there[name] = Shim(name, path, True)
    return [pid1_status(one, KID, "exit", 7) for one in there.values()] + [
        there[name].bare("--version")[1][:12] for name in ("docker-init", "podman-init")]


sys.exit(main())
