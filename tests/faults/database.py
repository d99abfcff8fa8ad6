"""A PostgreSQL of the scenario's own, which can be stopped, killed and frozen; and a wire to it that can be cut.

It runs from the distribution's programs in a folder of its own, with PostgreSQL's own settings for durability.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

from world import Broken, Stage, wait_until

DEBIAN = Path("/usr/lib/postgresql")
USER = "portreeve"
START_SECONDS = 60


class Postgres:
    def __init__(self, stage: Stage):
        self.programs = find_programs()
        self.folder = stage.folder / "postgres"
        self.log = stage.folder / "postgres.log"
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        # PostgreSQL refuses to run as root.
        self.identity = identity() if os.geteuid() == 0 else {}
        self.folder.mkdir()
        if self.identity:
            stage.folder.chmod(0o711)
            os.chown(self.folder, self.identity["user"], self.identity["group"])
        self.run("initdb", "-D", self.folder / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        stage.cleanup.callback(self.kill)
        self.start()

    def url(self, port: int | None = None) -> str:
        return f"postgres://{USER}@127.0.0.1:{port or self.port}/postgres"

    def start(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on",
            "shared_buffers": "32MB",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self.identity,
            )
        wait_until(self.answers, START_SECONDS, f"PostgreSQL answers; see {self.log}")

    def answers(self) -> bool:
        if self.process.poll() is not None:
            raise Broken(f"PostgreSQL did not start: {self.log.read_text(errors='replace')[-2000:]}")
        ready = [self.programs / "pg_isready", "-q", "-d", self.url()]
        return subprocess.run(ready, check=False).returncode == 0

    def rows(self, sql: str) -> list[list[str]]:
        done = self.run("psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", self.url(), "-c", sql)
        return [line.split("\t") for line in done.splitlines()]

    def stop(self) -> None:
        """Ends every transaction and every connection, and stops in good order (a "fast" shutdown)."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL for every process of it at once; harmless when it has ended."""
        if self.process is None or self.process.poll() is not None:
            return
        children = self.freeze()
        for process in [self.process.pid, *children]:
            send(signal.SIGKILL, process)
        self.process.wait()
        wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 60, "its processes end")

    def freeze(self) -> list[int]:
        """Stops every process of it where it stands: connections stay open, and nobody answers."""
        send(signal.SIGSTOP, self.process.pid)
        # The parent makes no more children from now on.
        children = children_of(self.process.pid)
        for child in children:
            send(signal.SIGSTOP, child)
        return children

    def thaw(self) -> None:
        for process in [*children_of(self.process.pid), self.process.pid]:
            send(signal.SIGCONT, process)

    def run(self, program: str, *words: object) -> str:
        done = subprocess.run(
            [self.programs / program, *words], capture_output=True, text=True, cwd="/", timeout=120, **self.identity
        )
        if done.returncode != 0:
            raise Broken(f"{program}: {done.stderr}")
        return done.stdout


class Wire:
    """A TCP relay between a server and its database."""

    def __init__(self, stage: Stage, target: int):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.mute = False
        self.broken = False
        self.ends: list[socket.socket] = []
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()
        stage.cleanup.callback(self.cut)

    def swallow(self) -> None:
        """Takes what is sent and passes nothing on, in either direction, until a cut."""
        self.mute = True

    def cut(self) -> None:
        """Ends all connections, and those that come."""
        self.broken = True
        with self.lock:
            for end in self.ends:
                hang_up(end)
            self.ends.clear()

    def mend(self) -> None:
        """New connections pass again."""
        self.mute = self.broken = False

    def accept(self) -> None:
        while True:
            near, _ = self.listener.accept()
            with self.lock:
                far = None if self.broken else self.reach()
                if far is None:
                    near.close()
                    continue
                self.ends += [near, far]
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.pass_on, args=(one, other), daemon=True).start()

    def reach(self) -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            return None  # the database does not run

    def pass_on(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(1 << 16):
                if not self.mute:
                    other.sendall(data)
        except OSError:
            pass
        hang_up(other)


def hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other side was faster


def find_programs() -> Path:
    versions = [folder for folder in DEBIAN.glob("*/bin") if (folder / "initdb").exists()]
    if versions:
        return max(versions, key=lambda folder: float(folder.parent.name))
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise Broken("there is no PostgreSQL here: run scripts/setup test, or install postgresql")


def identity() -> dict:
    """The user of the packages, or nobody."""
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise Broken("there is no user that PostgreSQL could run as: neither postgres nor nobody")


def children_of(process: int) -> list[int]:
    """From proc(5): `id (name) state parent …`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state = stat.read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(state[1]) == process:
            found.append(int(stat.parent.name))
    return found


def send(what: signal.Signals, process: int) -> None:
    try:
        os.kill(process, what)
    except ProcessLookupError:
        pass  # it has ended by itself


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
