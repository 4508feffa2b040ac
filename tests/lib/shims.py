"""shims.py - runs one behaviour under each of the shims we replace and under ours, in the same minute, and judges both.

A story is a Python file of functions, each marked with @behaviour: it is called once for each dialect with a Shim
that is theirs and once with a Shim that is ours, and what it returns is the answer. Ours must be what the mark wants.
Theirs must be that too ("same answer"), or be what the mark says of theirs, with the reason why ours is better.

The harness adopts every orphan (PR_SET_CHILD_SUBREAPER), so that nothing outlives a behaviour.
"""
import atexit
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.path.abspath(os.environ.get("COPPICE", TOP + "/coppice"))
KID = os.environ.get("SHIMKID", TOP + "/build/tests/box/shimkid")
PATIENCE = 10 * int(os.environ.get("BOX_PATIENCE", "1"))  # seconds until something that must happen counts as not happening
DIALECTS = ["tini", "dumb-init", "catatonit", "coppice"]
cases = []
everybody = []  # every Shim there is, theirs and ours


def behaviour(text, on=None, want=None, theirs=None):
    """`on`: dialects, all unless said. `want`: the right answer, or {dialect: answer}. `theirs`: {dialect: (answer, why ours is better)}."""
    def mark(function):
        cases.append((text, on.split() if on else DIALECTS, want, theirs or {}, function))
        return function
    return mark


class Life:
    """A process under a shim, from its start to its end."""

    def __init__(self, shim, options, command, above=(), env=None, pass_fds=(), **more):
        argv = [str(word) for word in [*above, *shim.line(options), *command]]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", **(env or {})}
        self.process = subprocess.Popen(argv, stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment, pass_fds=pass_fds, **more)
        self.pid, self.text, self.error = self.process.pid, b"", b""

    def line(self, patience=PATIENCE):
        """The next line of output, or None at its end, or when nothing comes."""
        end = time.monotonic() + patience
        while b"\n" not in self.text:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            some = os.read(self.process.stdout.fileno(), 65536)
            if not some:
                return None
            self.text += some
        line, self.text = self.text.split(b"\n", 1)
        return line.decode()

    def until(self, word, patience=PATIENCE):
        """Skips lines up to one that begins with `word`; what follows in it."""
        while (line := self.line(patience)) is not None:
            if line.split(" ")[0] == word:
                return line[len(word) + 1:]
        return None

    def send(self, sig, pid=None):
        os.kill(pid or self.pid, sig)

    def end(self, patience=PATIENCE):
        """Its exit status, or "hangs"."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return "hangs"

    def rest(self, patience=PATIENCE):
        """All the output that is left, up to its end; then the status."""
        try:
            out, self.error = self.process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            return self.text.decode(), "hangs"
        return (self.text + out).decode(), self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        sweep()


class Shim:
    def __init__(self, dialect, path, ours):
        self.dialect, self.path, self.ours = dialect, path, ours

    def line(self, options=()):
        return [self.path, *options, "--"]

    def start(self, options, *command, **more):
        return Life(self, options, command, **more)

    def run(self, options, *command, **more):
        """Output and status of a command that ends by itself; its errors in the third."""
        patience = more.pop("patience", PATIENCE)
        with Life(self, options, command, **more) as life:
            out, status = life.rest(patience)
            return out, status, life.error.decode()

    def bare(self, *words, **env):
        """The shim's own words, without a divider: status, output, errors."""
        done = subprocess.run([self.path, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={"PATH": os.environ["PATH"], **env}, timeout=PATIENCE, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def status(self, options, *command):
        """Just the exit status, as fast as it goes."""
        argv = [str(word) for word in [*self.line(options), *command]]
        null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
        pid = os.posix_spawn(argv[0], argv, {"PATH": os.environ["PATH"]}, file_actions=null)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def sweep():
    """Ends whoever was left to us, and those who are left to us by that."""
    while left := children(os.getpid()):
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass


def status_of(pid, key):
    """A field of /proc/PID/status; "" where there is none."""
    try:
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return ""


def state(pid):
    return status_of(pid, "State")[:1]


def zombies(pid):
    return sum(state(child) == "Z" for child in children(pid))


def soon(true, patience=PATIENCE):
    """Waits until true() is; what it came to."""
    end = time.monotonic() + patience
    pause = 0.0005
    while not (value := true()) and time.monotonic() < end:
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)
    return value


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


def pid1_status(shim, *command):
    with Pid1(shim, [], *command) as one:
        return one.life.end()


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


# Whoever is left at the end, whatever end that is, comes to us and goes with us.
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # as nohup(1) and "&" leave them
    if signal.getsignal(ignored) == signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
atexit.register(sweep)


def tell(good, number, text, *why):
    print("ok" if good else "not ok", number, "-", text)
    for line in why:
        print("#", line)
    sys.stdout.flush()


def main():
    if os.getuid() != 0:
        print("# SKIP needs root, for PID namespaces; try sudo")
        return 77
    for needed in (OURS, KID):
        if not os.access(needed, os.X_OK):
            print(f"not ok 1 - there is {needed}; run make coppice programs\n1..1")
            return 1
    # glibc's posix_spawn(3), by which make starts us, leaves 32 and 33 ignored, and Python cannot undo that.
    with open("/proc/self/status", encoding="ascii") as status:
        if any(line.startswith("SigIgn:") and int(line[7:], 16) >> 31 & 3 for line in status):
            os.execv(KID, [KID, "with", "0", "0", sys.executable, *sys.argv])
    only = sys.argv[1:]
    number = failed = 0
    with tempfile.TemporaryDirectory(prefix="shims-") as room:
        os.chmod(room, 0o755)
        names = {dialect: f"{room}/{dialect}" for dialect in DIALECTS}
        for path in names.values():
            os.symlink(OURS, path)
        everybody.extend(Shim(dialect, names[dialect], True) for dialect in DIALECTS)
        everybody.extend(Shim(dialect, peer, False) for dialect in DIALECTS if dialect != "coppice" and (peer := shutil.which(dialect)))
        found = {(shim.dialect, shim.ours): shim for shim in everybody}
        for text, on, want, theirs, function in cases:
            if only and not any(word in text for word in only):
                continue
            for dialect in on:
                number += 1
                head = f"{dialect}: {text}"
                right = want[dialect] if isinstance(want, dict) and dialect in want else want
                try:
                    mine = function(found[dialect, True])
                except Exception as e:  # a shim that breaks the scene has failed, and the next one is to be seen as well
                    mine = f"{type(e).__name__}: {e}"
                sweep()
                if mine != right:
                    failed += 1
                    tell(False, number, head, f"want: {right}", f"ours: {mine}")
                    continue
                if (dialect, False) not in found:
                    tell(True, number, head + ("" if dialect == "coppice" else f" # SKIP ours is right; {dialect} is not here to compare"))
                    continue
                expected, why = theirs.get(dialect, (right, None))
                try:
                    other = function(found[dialect, False])
                except Exception as e:
                    other = f"{type(e).__name__}: {e}"
                sweep()
                if other == right:
                    tell(True, number, head + ": same answer")  # where one was listed, they have learned
                elif other != expected:
                    failed += 1
                    tell(False, number, head, f"ours: {mine}", f"theirs: {other}", f"theirs, as listed: {expected}")
                else:
                    tell(True, number, f"{head}: ours is better: {why}")
    print(f"1..{number}")
    return failed != 0
