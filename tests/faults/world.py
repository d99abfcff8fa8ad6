"""The program under test, through as many lives as it takes, and the client that talks to it.

Only Python's standard library, so that neither the HTTP client nor the SQLite that judges is the server's own.
"""

import http.client
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

STARTUP_SECONDS = 60
# How long an answer may take beyond the server's own request timeout, on a machine that has much else to do.
SLACK_SECONDS = 10
# How long a server may take to find out whether its database answers.
READY_SECONDS = 3


class Broken(Exception):
    """Something that must hold does not."""


class Gone(Exception):
    """There was no answer. `sent`: the server may have got the request all the same."""

    def __init__(self, sent: bool, cause: object = None):
        super().__init__(f"no answer: {cause!r}")
        self.sent = sent


@dataclass
class Stage:
    """Where one scenario plays: its folder, its chances, and what has been shown so far."""

    program: str
    folder: Path
    chance: random.Random
    long: bool
    passed: int = 0
    cleanup: ExitStack = field(default_factory=ExitStack)

    def show(self, what: str) -> None:
        """One thing that was to be shown has been."""
        self.passed += 1
        print(f"ok  {what}", flush=True)

    def demand(self, holds: object, what: str, otherwise: object = "") -> None:
        if not holds:
            raise Broken(f"not true: {what} {otherwise}")
        self.show(what)


@dataclass(frozen=True)
class Access:
    """What an identity provider is given."""

    directory: str
    base: str
    token: str


@dataclass
class Answer:
    status: int
    retry_after: str | None
    # What the JSON says, if it is JSON.
    body: object


class Server:
    """`portreeve serve` on a data folder of its own."""

    def __init__(
        self,
        stage: Stage,
        name: str = "data",
        database: str | None = None,
        options: Iterable[str] = (),
        environment: dict[str, str] | None = None,
    ):
        self.program = stage.program
        self.name = name
        self.data = stage.folder / name
        self.log = stage.folder / f"{self.data.name}.log"
        self.address = ""
        self.process: subprocess.Popen | None = None
        # The limits of rates are not what these tests are about.
        limits = ("--rate-limit-token", "0", "--rate-limit-address", "0")
        self.options = (*limits, *(("--database", database) if database else ()), *options)
        self.environment = {**os.environ, **(environment or {})}
        stage.cleanup.callback(self.kill)

    def start(self) -> "Server":
        self.process = subprocess.Popen(
            [self.program, "serve", "--data", self.data, "--listen", "127.0.0.1:0", *self.options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
        ready = threading.Event()
        threading.Thread(target=self._follow, args=(self.process, ready), daemon=True).start()
        if not ready.wait(STARTUP_SECONDS) or not self.address:
            raise Broken(f"the server {self.name} was not ready within {STARTUP_SECONDS} s")
        return self

    def _follow(self, process: subprocess.Popen, ready: threading.Event) -> None:
        with self.log.open("ab") as log:
            for line in process.stderr:
                log.write(line)
                log.flush()
                found = re.search(rb"ready.* http://(127\.0\.0\.1:\d+)", line)
                if found:
                    self.address = found.group(1).decode()
                    ready.set()
        ready.set()

    def create_directory(self, name: str, *options: str) -> Access:
        made = self.command("directory", "create", name, "--provider", "generic", "--users", "delete", *options)
        return Access(made["id"], urlsplit(made["tenant_url"]).path, made["secret_token"])

    def command(self, *words: str) -> dict:
        done = subprocess.run(
            [self.program, *words, "--data", self.data, "-o", "json"], capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            raise Broken(f"portreeve {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout)

    def api(self, path: str) -> Answer:
        """Asks the admin API over the local socket."""
        connection = LocalConnection(self.data / "portreeve.sock")
        try:
            return exchange(connection, "GET", f"/api/v1{path}", None, {})
        finally:
            connection.close()

    def health(self, path: str) -> int:
        """The status of `/healthz` or `/readyz`, for a load balancer that will not wait for long."""
        connection = http.client.HTTPConnection(self.address, timeout=READY_SECONDS + SLACK_SECONDS)
        try:
            return exchange(connection, "GET", path, None, {}).status
        finally:
            connection.close()

    def said(self, words: str) -> bool:
        return words in self.log.read_text(errors="replace")

    def times_said(self, words: str) -> int:
        return self.log.read_text(errors="replace").count(words)

    def kill(self) -> None:
        """SIGKILL; harmless when it has ended."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.address = ""

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.address = ""
        if status != 0:
            raise Broken(f"the server ended with {status} on SIGTERM")

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def memory_mib(self) -> float:
        """The most that it has had in memory (VmHWM of proc(5))."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


class LocalConnection(http.client.HTTPConnection):
    def __init__(self, path: Path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def exchange(connection: http.client.HTTPConnection, method: str, path: str, body: object, headers: dict) -> Answer:
    data = None if body is None else json.dumps(body)
    if connection.sock is None:
        try:
            connection.connect()
        except OSError as problem:
            raise Gone(False, problem) from problem
    try:
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        text = response.read()
    except TimeoutError as problem:
        connection.close()
        raise Broken(f"{method} {path} got no answer within {connection.timeout:.0f} s") from problem
    except (OSError, http.client.HTTPException) as problem:
        connection.close()
        raise Gone(True, problem) from problem
    is_json = "json" in response.getheader("Content-Type", "")
    return Answer(response.status, response.getheader("Retry-After"), json.loads(text) if is_json else {})


class Client:
    """One client behind a round robin: each request goes to the next server, as a load balancer would send it. One
    that does not let it in is passed over. Each server has `bound` seconds to answer."""

    def __init__(self, servers: list[Server], access: Access, bound: float = 30 + SLACK_SECONDS):
        self.turn = itertools.cycle(servers)
        self.count = len(servers)
        self.access = access
        self.bound = bound
        self.connections: dict[str, http.client.HTTPConnection] = {}

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        problem = Gone(False, "no server")
        for server in itertools.islice(self.turn, self.count):
            if not server.address:
                continue
            try:
                return self.ask_at(server.address, method, path, body)
            except Gone as gone:
                if gone.sent:
                    raise
                problem = gone
        raise problem

    def ask_at(self, address: str, method: str, path: str, body: object) -> Answer:
        connection = self.connections.get(address)
        if connection is None:
            connection = http.client.HTTPConnection(address, timeout=self.bound)
            self.connections[address] = connection
        headers = {"Authorization": f"Bearer {self.access.token}", "Content-Type": "application/scim+json"}
        return exchange(connection, method, self.access.base + path, body, headers)

    def expect(self, status: int, method: str, path: str, body: object = None) -> dict:
        answer = self.ask(method, path, body)
        if answer.status != status:
            raise Broken(f"{method} {path}: expected {status}, got {answer}")
        return answer.body


def wait_until(holds: Callable[[], object], seconds: float, what: str) -> None:
    """Asks until it is so. `seconds` is when it is too late, not how long it takes."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise Broken(f"not within {seconds} s: {what}")
        time.sleep(0.05)
