"""shim.py - what tini, dumb-init and catatonit do, done by theirs and by ours: statuses, signals, orphans, options."""
import fcntl
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from shims import KID, PATIENCE, behaviour, children, main, soon, state, status_of, zombies

CODES = range(256)
FATAL = [sig for sig in range(1, 65) if sig not in (17, 18, 19, 20, 21, 22, 23, 28)]  # whose default is death
FAULTS = [4, 5, 6, 7, 8, 11, 31]
PASSED = [sig for sig in range(1, 65) if sig not in (9, 17, 19)]  # KILL and STOP cannot be caught, CHLD is about us
SENTINEL = 64
JOB_CONTROL = [20, 21, 22]  # TSTP, TTIN, TTOU


# ---- exit status ----

@behaviour("all 256 exit codes", want=list(CODES))
def _(shim):
    return [shim.status([], KID, "exit", code) for code in CODES]


@behaviour("all 256 exit codes, each mapped to 0 by -e", on="tini coppice", want=[0] * 256)
def _(shim):
    return [shim.status(["-e", str(code)], KID, "exit", code) for code in CODES]


@behaviour("all 256 exit codes, with every other one mapped to 0", on="tini coppice", want=list(CODES))
def _(shim):
    return [shim.status([f"-e{other}" for other in CODES if other != code], KID, "exit", code) for code in CODES]


@behaviour("death by each signal is 128 + n", want={})
def _(shim):
    return {sig: got for sig in FATAL if (got := shim.status([], KID, "die", sig)) != 128 + sig}


@behaviour("-e takes a death by signal, too (143, for the sake of JVMs)", on="tini coppice", want=0)
def _(shim):
    return shim.status(["-e", "143"], KID, "die", 15)


@behaviour("as PID 1: exit codes and deaths", want=[0, 1, 7, 255, 137, 143])
def _(shim):
    words = [("exit", 0), ("exit", 1), ("exit", 7), ("exit", 255), ("die", 9), ("die", 15)]
    return [pid1_status(shim, KID, *word) for word in words]


def pid1_status(shim, *command):
    with Pid1(shim, [], *command) as one:
        return one.life.end()


class Pid1:
    """A shim as PID 1: the life of the one who made it, and its own pid as seen from here."""

    def __init__(self, shim, options, *command):
        end, other = os.pipe()
        self.life = shim.start(options, *command, above=[KID, "pid1", other], pass_fds=[other])
        os.close(other)
        with os.fdopen(end) as pipe:
            self.pid = int(pipe.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.life.__exit__()


# ---- commands that cannot be run ----

def hopeless(path):
    os.makedirs(path, exist_ok=True)
    files = {"plain": ("#!/bin/sh\nexit 5\n", 0o644), "script": ("exit 5\n", 0o755), "orphaned": ("#!/no/such/shell\n", 0o755)}
    for name, (text, mode) in files.items():
        with open(f"{path}/{name}", "w") as f:
            f.write(text)
        os.chmod(f"{path}/{name}", mode)
    return path


RUN = ["no such file", "not in PATH", "a directory", "no x bit", "no x bit, in PATH", "no interpreter", "no name"]


@behaviour("a command that cannot be run: " + ", ".join(RUN), want={
    "tini": [127, 127, 126, 126, 126, 127, 127], "coppice": [127, 127, 126, 126, 126, 127, 127],
    "catatonit": [127, 127, 126, 126, 126, 127, 127], "dumb-init": [2] * 7,
}, theirs={"catatonit": ([1] * 7, "as a shell, and as without a shim")})
def _(shim):
    room = hopeless(os.path.dirname(KID) + "/shim-room")
    env = {"PATH": f"/nowhere:{room}:{os.environ['PATH']}"}
    words = ["/no/such/file", "no-such-command", "/etc", room + "/plain", "plain", room + "/orphaned", ""]
    got = [shim.run([], word, env=env) for word in words]
    return [status if error else "silent" for _, status, error in got]


@behaviour("a file without #! is a shell script, by path and by name", want=[5, 5])
def _(shim):
    room = hopeless(os.path.dirname(KID) + "/shim-room")
    return [shim.run([], word, env={"PATH": room})[1] for word in (room + "/script", "script")]


# ---- signals ----

def heard(life, ready, sig, pid=None):
    """What the command gets of a signal: numbers, up to a sentinel, the last of those that wait to be fetched; or how the shim ends."""
    got = []
    life.send(sig, pid)
    try:
        if sig != SENTINEL:
            life.send(SENTINEL, pid)
    except ProcessLookupError:
        pass
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        line = life.line(0.02)
        if line is None:
            if state(pid or life.pid) in ("Z", ""):
                if ready:
                    os.kill(int(ready), signal.SIGKILL)
                return "the shim dies"
            continue
        if int(line) == SENTINEL:
            return SENTINEL if sig == SENTINEL else got[0] if len(got) == 1 else got
        got.append(int(line))
    return "nothing is heard any more"


def hear_each(shim, options, signals):
    """Each signal that is not heard as itself, and what happens instead."""
    wrong, life = {}, None
    for sig in signals:
        if life is None:
            life = shim.start(options, KID, "record")
            ready = life.until("ready")
        got = heard(life, ready, sig)
        if got != sig:
            wrong[sig] = got
        if got == "the shim dies":
            life.__exit__()
            life = None
    if life:
        life.__exit__()
    return wrong


DIES = {sig: "the shim dies" for sig in FAULTS + [32, 33]}


@behaviour("every signal 1 to 64 is passed on", on="tini catatonit coppice", want={}, theirs={
    "tini": ({**DIES, 21: [], 22: []}, "faults sent from outside, 32 and 33 reach the command and do not end the shim; TTIN and TTOU reach it"),
    "catatonit": ({**DIES, 20: [], 21: [], 22: []}, "faults sent from outside, 32 and 33 reach the command and do not end the shim; TSTP, TTIN and TTOU reach it"),
})
def _(shim):
    return hear_each(shim, [], PASSED)


@behaviour("every signal but job control's is passed on", on="dumb-init", want={}, theirs={
    "dumb-init": ({32: "the shim dies", 33: "the shim dies"}, "32 and 33 do not end the shim")})
def _(shim):
    return hear_each(shim, [], [sig for sig in PASSED if sig not in JOB_CONTROL])


@behaviour("real-time signals queue up and none is lost", want=[37] * 40)
def _(shim):
    with shim.start([], KID, "record") as life:
        life.until("ready")
        for _ in range(40):
            life.send(37)
        return [int(life.line()) for _ in range(40)]


OUTSIDE = [1, 2, 15, 12, 37, 64]


@behaviour("as PID 1, signals from outside are passed on, faults as well", want=OUTSIDE + [6], theirs={
    name: (OUTSIDE + [[]], "docker kill -s ABRT reaches the command") for name in ("tini", "catatonit")})
def _(shim):
    with Pid1(shim, [], KID, "record") as one:
        one.life.until("ready")
        return [heard(one.life, None, sig, one.pid) for sig in OUTSIDE + [6]]


@behaviour("job control's signals stop the session and the shim, CONT wakes both", on="dumb-init",
           want=[("T", "T", "18")] * 3)
def _(shim):
    got = []
    with shim.start([], KID, "record") as life:
        child = int(life.until("ready"))
        for sig in JOB_CONTROL:
            life.send(sig)
            soon(lambda: state(life.pid) == "T" and state(child) == "T")
            states = state(life.pid), state(child)
            life.send(18)
            got.append((*states, life.line()))
    return got


@behaviour("without a session they reach the command and stop the shim", on="dumb-init", want=[("20", "T"), ("21", "T"), ("22", "T")])
def _(shim):
    got = []
    with shim.start(["-c"], KID, "record") as life:
        life.until("ready")
        for sig in JOB_CONTROL:
            life.send(sig)
            line = life.line()
            soon(lambda: state(life.pid) == "T")
            got.append((line, state(life.pid)))
            life.send(18)
            life.until("18")
    return got


# ---- groups ----

def reached(shim, options, env=None):
    """Who of the command and its child hears signals."""
    with shim.start(options, KID, "pair", env=env) as life:
        got = []
        for _ in range(2):
            life.line()  # both are there
        life.send(signal.SIGUSR1)
        life.send(SENTINEL)
        while (line := life.line(PATIENCE if f"first {SENTINEL}" not in got else 0.05)) is not None:
            got.append(line)
            if len(got) == 4:
                break
        return sorted(got)


ALONE = ["first 10", "first 64"]
BOTH = ALONE + ["second 10", "second 64"]


@behaviour("signals go to the command alone", on="tini catatonit coppice", want=ALONE)
def _(shim):
    return reached(shim, [])


@behaviour("-g: signals go to its group", on="tini catatonit coppice", want=BOTH)
def _(shim):
    return reached(shim, ["-g"])


@behaviour("TINI_KILL_PROCESS_GROUP: signals go to its group", on="tini", want=BOTH)
def _(shim):
    return reached(shim, [], {"TINI_KILL_PROCESS_GROUP": "1"})


@behaviour("signals go to its whole session's group", on="dumb-init", want=BOTH)
def _(shim):
    return reached(shim, [])


@behaviour("-c, --single-child and DUMB_INIT_SETSID=0: signals go to the command alone", on="dumb-init", want=[ALONE] * 3)
def _(shim):
    return [reached(shim, ["-c"]), reached(shim, ["--single-child"]), reached(shim, [], {"DUMB_INIT_SETSID": "0"})]


def looked(shim, options, *words, **more):
    life = shim.start(options, KID, "look", *words, **more)
    with life:
        facts = {"shim": life.pid, "arg": []}
        while (line := life.line()) not in (None, "ready"):
            key, _, value = line.partition(" ")
            if key == "arg":
                facts["arg"].append(value)
            else:
                facts[key] = int(value) if value.isdigit() and not key.startswith("Sig") else value
        facts["end"] = life.end()
        return facts


@behaviour("the command leads: a group of its own, or a session", want={
    "tini": ("group", "our session"), "catatonit": ("group", "our session"), "coppice": ("group", "our session"),
    "dumb-init": ("group", "session")})
def _(shim):
    it = looked(shim, [])
    return ("group" if it["pgid"] == it["pid"] else "no group", "session" if it["sid"] == it["pid"] else "our session")


@behaviour("-c: the command stays in our group", on="dumb-init", want=True)
def _(shim):
    it = looked(shim, ["-c"])
    return it["pgid"] == os.getpgrp() and it["ppid"] == it["shim"]


# ---- rewriting ----

def rewritten(shim, rules, signals, spell="-r"):
    options = [word for rule in rules for word in (spell, rule)]
    with shim.start(options, KID, "record") as life:
        if life.until("ready") is None:
            return life.end()
        return [heard(life, None, sig) for sig in signals]


@behaviour("-r 15:2, a chain, and the lowest and the highest", on="dumb-init coppice", want=[[2, 3, 18, 2], [2, 3, 15], [31, 1]])
def _(shim):
    return [rewritten(shim, ["15:2"], [15, 3, 18, 2]), rewritten(shim, ["15:2", "2:15", "3:3"], [15, 3, 2]),
            rewritten(shim, ["1:31", "31:1"], [1, 31])]


@behaviour("-r N:0 drops it", on="dumb-init coppice", want=[3, [], [], 1])
def _(shim):
    return rewritten(shim, ["15:3", "2:0", "28:0"], [15, 2, 28, 1])


@behaviour("--rewrite, with a blank and with =", on="dumb-init", want=[[2], [2]])
def _(shim):
    got = [rewritten(shim, ["15:2"], [15], "--rewrite")]
    with shim.start(["--rewrite=15:2"], KID, "record") as life:
        life.until("ready")
        return [*got, [heard(life, None, 15)]]


@behaviour("-r with names and real-time signals", on="dumb-init coppice", want=[2, 37, 15], theirs={
    "dumb-init": (1, "signals have names, and there are more than 31")})
def _(shim):
    return rewritten(shim, ["TERM:SIGINT", "HUP:RTMIN+3", "37:15"], [15, 1, 37])


@behaviour("job control's default can be rewritten, and still stops the shim", on="dumb-init",
           want=[("15", "T"), ("2", "T"), ("1", "T")])
def _(shim):
    got = []
    with shim.start(["-r", "21:15", "-r", "22:2", "-r", "20:1"], KID, "record") as life:
        life.until("ready")
        for sig in (21, 22, 20):
            life.send(sig)
            line = life.line()
            soon(lambda: state(life.pid) == "T")
            got.append((line, state(life.pid)))
            life.send(18)
            life.until("18")
    return got


RULES = ["", "herp", "herp:derp", "15", "15::12", "15:derp", "0:12", "65:1", "15:-1", ":15", "15:"]


@behaviour("rules that are none are refused: " + " ".join(repr(rule) for rule in RULES), on="dumb-init coppice",
           want={"dumb-init": [1] * len(RULES), "coppice": [2] * len(RULES)})
def _(shim):
    return [shim.run(["-r", rule], KID, "exit", 0)[1] for rule in RULES]


@behaviour("a rule with something behind it is refused", on="dumb-init", want=1, theirs={
    "dumb-init": (0, "a typo is not half obeyed")})
def _(shim):
    return shim.run(["-r", "15:2x"], KID, "exit", 0)[1]


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


# ---- what the command finds ----

BLOCKED = "0000008000114008"  # ILL, TERM, TTIN, 40 and 17
IGNORED = "0000000000201403"  # HUP, INT, SEGV, PIPE, TTOU


@behaviour("the command finds signals as we found them: blocked, ignored", want=(BLOCKED, IGNORED), theirs={
    "dumb-init": (("0000000000000000", "0000000000000000"), "what was blocked or ignored stays so"),
    "catatonit": (("0000008000394008", IGNORED), "TSTP, TTIN and TTOU are not blocked for the command"),
})
def _(shim):
    it = looked(shim, [], above=[KID, "with", BLOCKED, IGNORED])
    return it["SigBlk"], it["SigIgn"]


@behaviour("... 32 and 33 as well", want="0000000180000000", theirs={
    "tini": ("0000000000000000", "the C library is not asked"), "dumb-init": ("0000000180000000", None),
    "catatonit": ("0000000000380000", "the C library is not asked")})
def _(shim):
    return looked(shim, [], above=[KID, "with", "180000000", "0"])["SigBlk"]


@behaviour("SIGCHLD ignored by whoever started us: the status is seen, the command finds it ignored", want=("7", "0000000000010000"), theirs={
    "tini": (("lost", "0000000000010000"), "it ends"), "catatonit": (("lost", "0000000000010000"), "it ends"),
    "dumb-init": (("7", "0000000000000000"), "the command finds it as we found it")})
def _(shim):
    with shim.start([], KID, "exit", 7, above=[KID, "with", "0", "10000"]) as life:
        status = life.end(1.3 if not shim.ours else 10)
    with shim.start([], KID, "look", above=[KID, "with", "0", "10000"]) as life:
        return "7" if status == 7 else "lost", life.until("SigIgn")


@behaviour("standard descriptors that are closed are no obstacle", want=7, theirs={
    "tini": (1, "nothing there needs a descriptor")})
def _(shim):
    pid = os.posix_spawn(shim.path, [shim.path, "--", KID, "exit", "7"], {},
                         file_actions=[(os.POSIX_SPAWN_CLOSE, fd) for fd in (0, 1, 2)])
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@behaviour("descriptors go to the command, and we hold on to none", want=("0 1 2 9", "let go"), theirs={
    "tini": (("0 1 2 9", "held"), "a pipe ends when the command closes it"),
    "dumb-init": (("0 1 2 9", "held"), "a pipe ends when the command closes it")})
def _(shim):
    end, other = os.pipe()
    os.dup2(other, 9)
    os.close(other)
    fcntl.fcntl(end, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        fds = looked_fds(shim)
        with shim.start([], "/bin/sh", "-c", f"exec 9>&-; exec {KID} record", pass_fds=[9]) as life:
            os.close(9)
            life.until("ready")

            def over():
                try:
                    return os.read(end, 1) == b""
                except BlockingIOError:
                    return False
            return fds, "let go" if soon(over, 5 if shim.ours or shim.dialect == "catatonit" else 0.2) else "held"
    finally:
        os.close(end)


def looked_fds(shim):
    with shim.start([], KID, "look", pass_fds=[9]) as life:
        return life.until("fds")


@behaviour("sockets passed to us are passed on: LISTEN_PID", want=("the command", 1, "-"), theirs={
    "tini": (("the shim", 1, 4711), "as catatonit does"), "dumb-init": (("the shim", 1, 4711), "as catatonit does"),
    "catatonit": (("the command", 1, 4711), "LISTEN_PIDFDID would no longer fit, and is taken away")})
def _(shim):
    it = looked(shim, [], above=[KID, "listen"])
    who = {it["pid"]: "the command", it["ppid"]: "the shim"}.get(it["LISTEN_PID"], "?")
    return who, it["LISTEN_FDS"], it["LISTEN_PIDFDID"]


@behaviour("sockets for somebody else stay so", want=(4711, 4712))
def _(shim):
    it = looked(shim, [], env={"LISTEN_PID": "4711", "LISTEN_PIDFDID": "4712"})
    return it["LISTEN_PID"], it["LISTEN_PIDFDID"]


@behaviour("the command starts where we were, and we leave", want=("/tmp", "/"), theirs={
    name: (("/tmp", "/tmp"), "no mount is held by where we were started") for name in ("tini", "catatonit")})
def _(shim):
    with shim.start([], KID, "record", cwd="/tmp") as life:
        child = int(life.until("ready"))
        where = lambda pid: os.readlink(f"/proc/{pid}/cwd")
        soon(lambda: where(life.pid) == "/", 2 if shim.dialect == "dumb-init" or shim.ours else 0.1)
        return where(child), where(life.pid)


@behaviour("a relative path and $PATH lead to the command", want=[7, 7])
def _(shim):
    room = os.path.dirname(KID)
    return [shim.run([], "./shimkid", "exit", 7, cwd=room)[1], shim.run([], "shimkid", "exit", 7, env={"PATH": "/bin::" + room}, cwd="/")[1]]


# ---- the words of the command line ----

def says(shim, *words, **env):
    status, out, error = shim.bare(*words, **env)
    return status, "output" if out else "", "error" if error else ""


@behaviour("--version", want={"tini": (0, "tini version", ""), "catatonit": (0, "tini version", ""), "dumb-init": (0, "", "dumb-init v")},
           on="tini dumb-init catatonit")
def _(shim):
    status, out, error = shim.bare("--version")
    return status, out[:12], error[:11]


@behaviour("-h", on="tini dumb-init catatonit", want={
    "tini": (0, "output", ""), "dumb-init": (0, "", "error"), "catatonit": (0, "", "error")})
def _(shim):
    return says(shim, "-h")


@behaviour("the licence", on="tini catatonit", want=(0, "output", ""))
def _(shim):
    return says(shim, "-l" if shim.dialect == "tini" else "-L")


@behaviour("no command", want={"tini": 1, "dumb-init": 1, "catatonit": 1, "coppice": 2})
def _(shim):
    return shim.bare("--")[0] if shim.dialect == "coppice" else shim.bare()[0]


@behaviour("unknown options", want={"tini": [1, 1], "dumb-init": [1, 1], "catatonit": [1, 1]}, on="tini dumb-init catatonit")
def _(shim):
    return [shim.bare("-x", "--", KID, "exit", "0")[0], shim.bare("--unknown", "--", KID, "exit", "0")[0]]


BAD_CODES = ["256", "-1", "abc", "1x"]


@behaviour("-e with " + ", ".join(BAD_CODES) + " and with nothing", on="tini coppice", want={"tini": [1] * 5, "coppice": [2] * 5})
def _(shim):
    return [shim.run(["-e", code], KID, "exit", 0)[1] for code in BAD_CODES] + [
        shim.bare("-e")[0] if shim.dialect == "tini" else shim.bare("-e", "--", "--")[0]]


@behaviour("-p with no signal", on="tini coppice", want={"tini": 1, "coppice": 2})
def _(shim):
    return shim.run(["-p", "SIGBOGUS"], KID, "exit", 0)[1]


@behaviour("letters in one word, values with and without a blank", on="tini coppice", want=[0, 0, 0])
def _(shim):
    return [shim.run(options, KID, "exit", 9)[1] for options in (["-gve9"], ["-ge", "9"], ["-vvvg", "-e9"])]


@behaviour("only the first -- is ours", want={"tini": 127, "catatonit": 127, "dumb-init": 2, "coppice": 127}, theirs={
    "catatonit": (1, "as a shell")})
def _(shim):
    return shim.run([], "--", KID, "exit", 0)[1]


@behaviour("COMMAND -- ARGUMENTS, as tini's usage has it", on="tini catatonit", want=["a", "-b"])
def _(shim):
    status, out, _ = shim.bare(KID, "look", "--", "a", "-b")
    return [line[4:] for line in out.splitlines() if line.startswith("arg")] if status == 0 else status


@behaviour("the command's own options need no --", on="tini catatonit dumb-init", want=["-g", "-x", "--", "y"], theirs={
    "tini": (1, "no getopt(3) picks in the command's words"), "catatonit": (1, "no getopt(3) picks in the command's words")})
def _(shim):
    status, out, _ = shim.bare(KID, "look", "-g", "-x", "--", "y")
    return [line[4:] for line in out.splitlines() if line.startswith("arg")] if status == 0 else status


@behaviour("POSIXLY_CORRECT leaves every word behind the command alone", on="tini catatonit", want=["--", "-g"])
def _(shim):
    _, out, _ = shim.bare(KID, "look", "--", "-g", POSIXLY_CORRECT="1")
    return [line[4:] for line in out.splitlines() if line.startswith("arg")]


def talks(shim, options, env=None):
    out, _, error = shim.run(options, KID, "exit", 0, env=env)
    return bool(out + error)


@behaviour("silent unless asked; -v and the variable ask", want={
    "tini": [False, True, True], "dumb-init": [False, True, True], "catatonit": [False, True], "coppice": [False, True]})
def _(shim):
    options = ["-s"] if shim.dialect == "tini" else []
    loud = {"tini": ["-s", "-v"], "dumb-init": ["-v"], "coppice": ["-v"]}
    variable = {"tini": {"TINI_VERBOSITY": "3"}, "dumb-init": {"DUMB_INIT_DEBUG": "1"}, "catatonit": {"CATATONIT_DEBUG": "1"}}
    said = [talks(shim, options)]
    if shim.dialect in loud:
        said.append(talks(shim, loud[shim.dialect]))
    if shim.dialect in variable:
        said.append(talks(shim, options, variable[shim.dialect]))
    return said


@behaviour("what we say goes to stderr, and leaves the command's output alone", on="tini coppice", want="", theirs={
    "tini": ("something", "the output is the command's")})
def _(shim):
    return "something" if shim.run(["-s", "-vvv"], KID, "exit", 0)[0] else ""


# ---- the parent's death ----

def after_parent(shim, sig):
    end, other = os.pipe()
    with shim.start(["-p", sig], KID, "record", above=[KID, "parent"], stdin=end) as life:
        os.close(end)
        ready = life.until("ready", 0.5 if not shim.ours else 10)
        os.write(other, b"x")
        os.close(other)
        if ready is None:
            return "refused"
        life.end()
        line = life.line(5 if sig != "SIGKILL" else 0.1)
        if line is not None:
            return line
        return "killed" if soon(lambda: state(int(ready)) in ("Z", ""), 5 if shim.ours else 0.1) else "left alone"


@behaviour("-p SIGUSR1: the command hears of our parent's death", on="tini coppice", want="10")
def _(shim):
    return after_parent(shim, "SIGUSR1")


@behaviour("-p with a number", on="tini coppice", want="12", theirs={"tini": ("refused", "a number is as good as a name")})
def _(shim):
    return after_parent(shim, "12")


@behaviour("-p SIGKILL: the command goes with us", on="tini coppice", want="killed", theirs={
    "tini": ("left alone", "the command is not left alone")})
def _(shim):
    return after_parent(shim, "SIGKILL")


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


@behaviour("as PID 1: whom the command leaves behind is asked to end, and given the time", want=(7, ["term", "bye"]), theirs={
    name: ((7, []), "nobody is killed unasked") for name in ("tini", "catatonit", "dumb-init")})
def _(shim):
    return left_behind(shim, [], "polite", True)[:2]


@behaviour("as PID 1: with a daemon of a session of its own as well", want=(7, ["term", "bye"]), theirs={
    name: ((7, []), "nobody is killed unasked") for name in ("tini", "catatonit", "dumb-init")})
def _(shim):
    return left_behind(shim, [], "apart", True)[:2]


@behaviour("as a subreaper: the same, and nobody stays behind", on="tini catatonit coppice", want=[(7, ["term", "bye"], False)] * 2, theirs={
    name: ([(7, [], True)] * 2, "nobody stays behind") for name in ("tini", "catatonit")})
def _(shim):
    options = ["-s"] if shim.dialect == "tini" else []
    return [left_behind(shim, options, how)[:3] for how in ("polite", "apart")]


@behaviour("without a mandate, they are left alone", on="tini", want=(7, [], True))
def _(shim):
    return left_behind(shim, [], "polite")[:3]


@behaviour("its group gets SIGTERM; without a session, it does not", on="dumb-init", want=[(7, ["term", "bye"]), (7, [])])
def _(shim):
    return [left_behind(shim, options, "polite")[:2] for options in ([], ["-c"])]


@behaviour("who does not listen gets SIGKILL after 5 s", on="coppice", want=(7, [], "5 s"))
def _(shim):
    status, said, _, took = left_behind(shim, [], "stubborn", True)
    return status, said, "5 s" if 4.8 <= took <= 5.6 else took


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

@behaviour("it sleeps until something happens", want=0, theirs={"tini": (1, "it wakes every second")})
def _(shim):
    with shim.start([], KID, "record") as life:
        life.until("ready")
        life.send(12)
        life.until("12")
        time.sleep(0.05)
        before = int(status_of(life.pid, "voluntary_ctxt_switches"))
        time.sleep(1.05)
        return int(status_of(life.pid, "voluntary_ctxt_switches")) - before


# ---- where container managers put it ----

@behaviour("called as managers call it: /sbin/docker-init -- CMD, /run/podman-init -- CMD, /dev/init -- CMD", on="coppice", want=[7, 7, 7])
def _(shim):
    got = []
    for name in ("docker-init", "podman-init", "init"):
        path = os.path.dirname(shim.path) + "/" + name
        if not os.path.lexists(path):
            os.symlink(os.path.realpath(shim.path), path)
        shim_there = type(shim)(name, path, True)
        got.append(pid1_status(shim_there, KID, "exit", 7))
    return got


sys.exit(main())
