"""shim-signals.py - what becomes of every signal: passed on, to whom, rewritten, dropped; under theirs and under ours."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from shims import KID, PATIENCE, Pid1, behaviour, main, soon, state

FAULTS = [4, 5, 6, 7, 8, 11, 31]
PASSED = [sig for sig in range(1, 65) if sig not in (9, 17, 19)]  # KILL and STOP cannot be caught, CHLD is about us
JOB_CONTROL = [20, 21, 22]  # TSTP, TTIN, TTOU
SENTINEL = 64


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


@behaviour("signals go to its whole session's group", on="dumb-init", want=[BOTH, BOTH])
def _(shim):
    return [reached(shim, []), reached(shim, [], {"DUMB_INIT_SETSID": "1"})]


@behaviour("-c, --single-child and DUMB_INIT_SETSID=0: signals go to the command alone", on="dumb-init", want=[ALONE] * 3)
def _(shim):
    return [reached(shim, ["-c"]), reached(shim, ["--single-child"]), reached(shim, [], {"DUMB_INIT_SETSID": "0"})]


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


sys.exit(main())
