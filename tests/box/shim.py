"""shim.py - exit statuses, the words of the command line, and what the command finds, under theirs and under ours."""
import fcntl
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from shims import KID, behaviour, looked, main, pid1_status, soon

CODES = range(256)
FATAL = [sig for sig in range(1, 65) if sig not in (17, 18, 19, 20, 21, 22, 23, 28)]  # whose default is death


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


sys.exit(main())
