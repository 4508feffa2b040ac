"""shim-terminal.py - who holds the terminal, and what Ctrl-C, Ctrl-Z, fg and bg do, under theirs and under ours."""
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from shims import KID, PATIENCE, Life, behaviour, children, main, soon, state, status_of

FOREVER = 0.25  # seconds after which theirs are taken to do nothing


class Terminal:
    """A terminal and a session on it, led by the first program that is started."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        flags = termios.tcgetattr(self.slave)
        flags[3] &= ~termios.ECHO
        termios.tcsetattr(self.slave, termios.TCSANOW, flags)
        self.life = None

    def lead(self, shim, options, *command, **more):
        def session():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.life = Life(shim, options, command, stdin=self.slave, preexec_fn=session, **more)
        return self.life

    def type(self, text):
        os.write(self.master, text)

    def resize(self):
        rows = struct.unpack("HHHH", fcntl.ioctl(self.master, termios.TIOCGWINSZ, bytes(8)))[0]
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows + 1, 80, 0, 0))

    def foreground(self):
        return os.tcgetpgrp(self.master)

    def hang_up(self):
        os.close(self.master)
        self.master = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.life:
            self.life.__exit__()
        for fd in (self.master, self.slave):
            if fd is not None:
                os.close(fd)


class Shell:
    """A shell on a terminal, with a shim as its only job."""

    def __init__(self, shim, how, *command, above=()):
        self.terminal = Terminal()
        events, out = os.pipe()
        into, self.orders = os.pipe()
        os.dup2(out, 20)
        os.dup2(into, 21)
        os.close(out)
        os.close(into)
        self.life = self.terminal.lead(shim, ["-s"] if shim.dialect == "tini" else [], *command,
                                       above=[KID, "shell", "20", how, *above], pass_fds=[20, 21])
        os.close(20)
        os.close(21)
        self.events, self.said = events, Reader(events)
        self.job = int(self.said.until("job"))

    def order(self, word):
        os.write(self.orders, word.encode() + b"\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for fd in (self.events, self.orders):
            os.close(fd)
        self.terminal.__exit__()


class Reader(Life):
    """Lines from a descriptor, as those of a process."""

    def __init__(self, fd):
        self.text = b""
        self.process = type("", (), {"stdout": type("", (), {"fileno": staticmethod(lambda: fd)})()})()


# ---- in a container with a terminal: we lead the session ----

@behaviour("the command holds the terminal", want=("foreground", True))
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], KID, "read")
        pid, place = life.until("ready").split()
        return place, t.foreground() == int(pid)


@behaviour("... through two of them", want=("foreground", True))
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], *shim.line(), KID, "read")
        pid, place = life.until("ready").split()
        return place, t.foreground() == int(pid)


@behaviour("... also where standard input is another", on="tini catatonit coppice", want=True, theirs={
    "tini": (False, "/dev/tty is asked")})
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], KID, "record", above=["/bin/sh", "-c", 'exec "$@" </dev/null', "sh"])
        pid = int(life.until("ready"))
        return t.foreground() == pid


@behaviour("Ctrl-C reaches the command, once, and so does a new size", want=["signal 2", "signal 28", "signal 28"])
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], KID, "read")
        life.until("ready")
        t.resize()
        first = life.line()
        t.type(b"\x03")
        got = [life.line()]
        t.resize()
        got.append(life.line())
        return sorted([first, *got])


@behaviour("Ctrl-C reaches its whole group", want=["first 2", "second 2"])
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], KID, "pair")
        life.line()
        life.line()
        t.type(b"\x03")
        return sorted([life.line(), life.line()])


@behaviour("Ctrl-Z where no shell would wake it does nothing, as without a shim", want=("end", 7), theirs={
    "tini": ((None, "hangs"), "it is not stopped for good")})
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], KID, "read")
        pid = int(life.until("ready").split()[0])
        t.type(b"\x1a")
        soon(lambda: state(pid) == "T", FOREVER)
        t.type(b"end\n")
        patience = PATIENCE if shim.ours or shim.dialect != "tini" else FOREVER
        return life.until("read", patience), life.end(patience)


@behaviour("as PID 1 that leads the session, as docker run -it has it", want=("foreground", True, ["signal 2"], "end", 7), theirs={
    "tini": (("foreground", True, ["signal 2"], None, "hangs"), "Ctrl-Z does not stop the container for good")})
def _(shim):
    with Terminal() as t:
        end, other = os.pipe()
        t.life = Life(shim, ["-s"] if shim.dialect == "tini" else [], [KID, "read"], stdin=t.slave, pass_fds=[other],
                      above=[KID, "pid1", other, "setsid", "--ctty"])
        os.close(other)
        with os.fdopen(end) as pipe:
            one = int(pipe.readline())
        place = t.life.until("ready").split()[1]
        command = children(one)[0]
        holds = t.foreground() == command
        t.type(b"\x03")
        got = [t.life.line()]
        t.type(b"\x1a")
        soon(lambda: state(command) == "T", FOREVER)
        t.type(b"end\n")
        patience = PATIENCE if shim.ours or shim.dialect != "tini" else FOREVER
        try:
            return place, holds, got, t.life.until("read", patience), t.life.end(patience)
        finally:
            if state(one):
                os.kill(one, 9)


@behaviour("a SIGSTOP of its own is its own affair", on="tini catatonit coppice", want=("T", "S"))
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], KID, "read")
        pid = int(life.until("ready").split()[0])
        os.kill(pid, 19)
        soon(lambda: state(pid) == "T")
        life.send(12)  # something for the shim to do, after it has heard of the stop
        soon(lambda: state(life.pid) == "S", 1)
        return state(pid), state(life.pid)


@behaviour("the hand-over itself is no hang-up", on="dumb-init", want=["64"])
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], KID, "record")
        life.until("ready")
        life.send(64)
        got = []
        while (line := life.line(PATIENCE if "64" not in got else 0.05)) is not None:
            got.append(line)
        return got


@behaviour("a real hang-up reaches the command", want="1")
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, [], KID, "record")
        life.until("ready")
        t.hang_up()
        line = life.line()
        return line if line != "18" else life.line()


@behaviour("in the background of a terminal with tostop, our own words do not stop us", on="tini coppice", want=["S", "10", "S"])
def _(shim):
    with Terminal() as t:
        flags = termios.tcgetattr(t.slave)
        flags[3] |= termios.TOSTOP
        termios.tcsetattr(t.slave, termios.TCSANOW, flags)
        life = t.lead(shim, ["-s", "-vvv"], KID, "record", above=["/bin/sh", "-c", 'exec "$@" 2>/dev/tty', "sh"])
        life.until("ready")
        soon(lambda: state(life.pid) in "ST")
        got = [state(life.pid)]
        life.send(10)
        got.append(life.line())
        soon(lambda: state(life.pid) in "ST")
        return [*got, state(life.pid)]


@behaviour("bash finds job control", want=(True, False, 5))
def _(shim):
    with Terminal() as t:
        life = t.lead(shim, ["-s"] if shim.dialect == "tini" else [], "bash", "--norc", "--noprofile", "-i",
                      above=["/bin/sh", "-c", 'exec "$@" 2>&1', "sh"])
        t.type(b"echo flags:$-:\nexit 5\n")
        out, status = life.rest()
        return bool(re.search(r"flags:\w*m\w*:", out)), "no job control" in out, status


# ---- under a shell with job control ----

@behaviour("Ctrl-Z stops the job, fg wakes it", want={
    "tini": ("20", "signal 18", True, "end", "7"), "catatonit": ("20", "signal 18", True, "end", "7"),
    "coppice": ("20", "signal 18", True, "end", "7"), "dumb-init": ("19", "signal 18", False, "end", "7")}, theirs={
    name: (None, "the shell hears of it, where with theirs the terminal hangs") for name in ("tini", "catatonit")})
def _(shim):
    with Shell(shim, "fg", KID, "read") as shell:
        pid = int(shell.life.until("ready").split()[0])
        shell.terminal.type(b"\x1a")
        stopped = shell.said.until("stopped", PATIENCE if shim.ours or shim.dialect == "dumb-init" else FOREVER)
        if stopped is None:
            return None
        shell.order("fg")
        woken = shell.life.line()
        holds = soon(lambda: shell.terminal.foreground() == pid, PATIENCE if shim.dialect != "dumb-init" else 0.05)
        shell.terminal.type(b"end\n")
        return stopped, woken, holds, shell.life.until("read"), shell.said.until("done").split()[0]


@behaviour("again and again, its whole group with it", on="coppice", want=["T T", "S S"] * 3)
def _(shim):
    with Shell(shim, "fg", "/bin/sh", "-c", f"exec 3<&0; {KID} read <&3 & exec {KID} read") as shell:
        pids = [int(shell.life.until("ready").split()[0]) for _ in range(2)]
        states = lambda: " ".join(state(pid) for pid in pids)
        got = []
        for _ in range(3):
            shell.terminal.type(b"\x1a")
            shell.said.until("stopped")
            soon(lambda: states() == "T T")
            got.append(states())
            shell.order("fg")
            soon(lambda: states() == "S S")
            got.append(states())
        return got


@behaviour("started in the background, it does not take the terminal, stops when it wants to read, and goes on with fg",
           on="tini catatonit coppice", want=("background", "21", "end", "7"), theirs={
               name: (("foreground",), "the shell's terminal is the shell's") for name in ("tini", "catatonit")})
def _(shim):
    with Shell(shim, "bg", KID, "read") as shell:
        place = shell.life.until("ready").split()[1]
        if place == "foreground":
            return (place,)
        stopped = shell.said.until("stopped")
        shell.order("fg")
        shell.terminal.type(b"end\n")
        return place, stopped, shell.life.until("read"), shell.said.until("done").split()[0]


@behaviour("bg leaves it in the background, where it stops again", on="coppice", want=("20", "21", "end"))
def _(shim):
    with Shell(shim, "fg", KID, "read") as shell:
        shell.life.until("ready")
        shell.terminal.type(b"\x1a")
        first = shell.said.until("stopped")
        shell.order("bg")
        second = shell.said.until("stopped")
        shell.order("fg")
        shell.terminal.type(b"end\n")
        return first, second, shell.life.until("read")


@behaviour("stopped in the background where nobody could wake us: it stays stopped, and we sleep", on="coppice", want=("T", "S", "calm"))
def _(shim):
    with Shell(shim, "bg", KID, "read", above=["/bin/sh", "-c", 'exec 3<&0; "$@" <&3 3<&- &', "sh"]) as shell:
        shell.said.until("done")
        pid = int(shell.life.until("ready").split()[0])
        one = int(status_of(pid, "PPid"))
        soon(lambda: state(pid) == "T")
        before = int(status_of(one, "voluntary_ctxt_switches"))
        time.sleep(0.1)
        woken = int(status_of(one, "voluntary_ctxt_switches")) - before
        return state(pid), state(one), "calm" if woken < 5 else f"woken {woken} times"


@behaviour("at its end the terminal is the job's again, for a script that goes on", want="7 terminal", theirs={
    name: ("7 no terminal", "a script may read on") for name in ("tini", "catatonit")})
def _(shim):
    with Shell(shim, "fg", KID, "exit", 7) as shell:
        return shell.said.until("done")


sys.exit(main())
