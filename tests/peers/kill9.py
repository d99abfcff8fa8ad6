#!/usr/bin/env python3
"""Kills a server with SIGKILL at random moments while it is written to, and looks for acknowledged writes that are gone.

Four writers create, change and delete users and put them into groups. Every answer of 2xx is remembered. After
each kill the files are copied as they lie and `PRAGMA integrity_check` is run on the copy; then the server starts
again on the originals and everything touched since the last start is read back: what was acknowledged must be
there, a request that got no answer may have happened or not, and nothing else may have happened.

Only Python's standard library, so that neither the HTTP client nor the SQLite that judges is the server's own.

Usage: kill9.py PROGRAM [--kills N] [--seed N]

Ends with the line "N passed, N failed"; exits 0 only when something passed and nothing failed.
"""

import argparse
import http.client
import json
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
WRITERS = 4
STARTUP_SECONDS = 60
WRITES_PER_LIFE = 2_000  # and writer


class Gone(Exception):
    """The server did not answer: it has been killed."""


class Lost(Exception):
    """Something acknowledged is not there, or something is there that nobody asked for."""


class Server:
    """The program under test on one data directory, through as many lives as it takes."""

    def __init__(self, program: str, data: Path, log: Path):
        self.program = program
        self.data = data
        self.log = log.open("ab")
        self.process: subprocess.Popen | None = None
        self.address = ""

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.program, "serve", "--data", self.data, "--listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        ready = threading.Event()
        threading.Thread(target=self._follow, args=(self.process.stderr, ready), daemon=True).start()
        if not ready.wait(STARTUP_SECONDS) or not self.address:
            raise SystemExit(f"The server was not ready within {STARTUP_SECONDS} s; see {self.log.name}")

    def _follow(self, lines, ready: threading.Event) -> None:
        self.address = ""
        for line in lines:
            self.log.write(line)
            self.log.flush()
            found = re.search(rb"http://(127\.0\.0\.1:\d+)", line)
            if found and not ready.is_set():
                self.address = found.group(1).decode()
                ready.set()
        ready.set()

    def command(self, *words: str) -> dict:
        done = subprocess.run(
            [self.program, *words, "--data", self.data, "-o", "json"], check=True, capture_output=True, timeout=60
        )
        return json.loads(done.stdout)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


class Client:
    """One keep-alive connection."""

    def __init__(self, address: str, base: str, token: str):
        self.connection = http.client.HTTPConnection(address, timeout=30)
        self.base = base
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        data = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, self.base + path, data, self.headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise Gone from problem
        return answer.status, json.loads(text) if text else {}


@dataclass
class Person:
    """What is known of one user. `maybe` is a change that got no answer."""

    name: str
    title: str
    maybe: str | None = None
    maybe_deleted: bool = False


@dataclass
class Writer:
    """Owns its users and its group: no other writer touches them."""

    number: int
    chance: random.Random
    people: dict[str, Person] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    in_flight: str | None = None  # userName of a creation without an answer
    group: str | None = None
    members: set[str] = field(default_factory=set)
    maybe_member: str | None = None
    count: int = 0
    acknowledged: int = 0
    problem: str | None = None

    def write_until_killed(self, client: Client) -> None:
        try:
            for _ in range(WRITES_PER_LIFE):
                self.write(client)
                self.acknowledged += 1
        except Gone:
            pass
        except Exception as problem:  # a writer's thread has nobody else to tell
            self.problem = repr(problem)

    def write(self, client: Client) -> None:
        if self.group is None:
            self.create_group(client)
        choice = self.chance.random()
        if choice < 0.5 or not self.people:
            self.create(client)
        elif choice < 0.75:
            self.change(client, self.chance.choice(list(self.people)))
        elif choice < 0.9:
            self.toggle_member(client, self.chance.choice(list(self.people)))
        else:
            self.delete(client, self.chance.choice(list(self.people)))

    def create_group(self, client: Client) -> None:
        self.count += 1
        body = {"schemas": [GROUP], "displayName": f"group-{self.number}-{self.count}"}
        self.group = expect(201, client.ask("POST", "/Groups", body))["id"]

    def create(self, client: Client) -> None:
        self.count += 1
        name = f"writer{self.number}.{self.count}@contoso.example"
        self.in_flight = name
        body = {"schemas": [USER], "userName": name, "externalId": name, "title": "0", "active": True}
        user = expect(201, client.ask("POST", "/Users", body))["id"]
        self.in_flight = None
        self.people[user] = Person(name, "0")
        self.touched.add(user)

    def change(self, client: Client, user: str) -> None:
        self.count += 1
        person = self.people[user]
        person.maybe = str(self.count)
        self.touched.add(user)
        expect(2, client.ask("PATCH", f"/Users/{user}", patch("replace", "title", person.maybe)))
        person.title, person.maybe = person.maybe, None

    def toggle_member(self, client: Client, user: str) -> None:
        self.maybe_member = user
        if user in self.members:
            operation = patch("remove", f'members[value eq "{user}"]')
        else:
            operation = patch("add", "members", [{"value": user}])
        expect(2, client.ask("PATCH", f"/Groups/{self.group}", operation))
        self.members ^= {user}
        self.maybe_member = None

    def delete(self, client: Client, user: str) -> None:
        self.people[user].maybe_deleted = True
        self.touched.add(user)
        expect(204, client.ask("DELETE", f"/Users/{user}"))
        self.forget(user)

    def forget(self, user: str) -> None:
        del self.people[user]
        self.members.discard(user)
        self.deleted.add(user)

    def verify(self, client: Client) -> None:
        """Reads back what was touched, and settles what was uncertain by what is found."""
        for user in sorted(self.touched):
            self.verify_user(client, user)
        self.touched.clear()
        if self.in_flight:
            self.settle_creation(client, self.in_flight)
            self.in_flight = None
        if self.group:
            self.verify_members(client)

    def verify_user(self, client: Client, user: str) -> None:
        status, body = client.ask("GET", f"/Users/{user}")
        person = self.people.get(user)
        if person is None:
            if status != 404:
                raise Lost(f"user {user} was deleted, acknowledged, and is back: {status} {body}")
            return
        if status == 404 and person.maybe_deleted:
            self.forget(user)
            return
        if status != 200:
            raise Lost(f"user {user} ({person.name}) was acknowledged and answers {status} {body}")
        if body["userName"] != person.name or body["title"] not in (person.title, person.maybe):
            raise Lost(f"user {user}: expected {person}, found {body}")
        person.title, person.maybe, person.maybe_deleted = body["title"], None, False

    def settle_creation(self, client: Client, name: str) -> None:
        wanted = quote(f'userName eq "{name}"')
        body = expect(200, client.ask("GET", f"/Users?filter={wanted}"))
        found = body.get("Resources", [])
        if len(found) > 1:
            raise Lost(f"{name} is there {len(found)} times")
        for user in found:
            self.people[user["id"]] = Person(name, user["title"])

    def verify_members(self, client: Client) -> None:
        body = expect(200, client.ask("GET", f"/Groups/{self.group}"))
        found = {member["value"] for member in body.get("members", [])}
        uncertain = {self.maybe_member} if self.maybe_member else set()
        if (found ^ self.members) - uncertain:
            raise Lost(
                f"group {self.group}: missing members {self.members - found - uncertain}, "
                f"unexpected members {found - self.members - uncertain}"
            )
        self.members, self.maybe_member = found, None


def patch(operation: str, path: str, value: object = None) -> dict:
    body = {"op": operation, "path": path}
    if value is not None:
        body["value"] = value
    return {"schemas": [PATCH], "Operations": [body]}


def expect(status: int, answer: tuple[int, dict]) -> dict:
    """The body, if the status is the expected one; a single digit stands for its class."""
    if status not in (answer[0], answer[0] // 100):
        raise Lost(f"expected {status}, got {answer}")
    return answer[1]


def integrity(data: Path) -> None:
    """Checks a copy of every SQLite file in the data directory, logs included."""
    with tempfile.TemporaryDirectory() as copy:
        for file in data.iterdir():
            # The shared memory is an index of the log that a power cut would take away.
            if file.is_file() and not file.name.endswith("-shm"):
                shutil.copy(file, copy)
        databases = [file for file in Path(copy).iterdir() if is_sqlite(file)]
        if not databases:
            raise Lost(f"there is no SQLite file in {data}")
        for file in databases:
            database = sqlite3.connect(file)
            answer = database.execute("PRAGMA integrity_check").fetchall()
            foreign = database.execute("PRAGMA foreign_key_check").fetchall()
            database.close()
            if answer != [("ok",)] or foreign:
                raise Lost(f"{file.name}: {answer[:5]} {foreign[:5]}")


def is_sqlite(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(16) == b"SQLite format 3\0"


def verify_everything(writers: list[Writer], client: Client) -> None:
    """Walks through all users with a cursor: exactly the acknowledged ones are there, once each."""
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        body = expect(200, client.ask("GET", f"/Users?attributes=userName,title&count=500&cursor={quote(cursor)}"))
        found += [f"{user['id']} {user['userName']} {user['title']}" for user in body.get("Resources", [])]
        cursor = body.get("nextCursor")
    wanted = [
        f"{user} {person.name} {person.title}" for writer in writers for user, person in writer.people.items()
    ]
    if sorted(found) != sorted(wanted):
        difference = sorted(set(found) ^ set(wanted))
        raise Lost(f"{len(found)} users found, {len(wanted)} expected; they differ in {difference[:5]}")


def life(server: Server, writers: list[Writer], access: tuple[str, str], chance: random.Random) -> None:
    """One life of a running server: written to, killed, copied, started, read."""
    clients = [Client(server.address, *access) for _ in writers]
    threads = [
        threading.Thread(target=writer.write_until_killed, args=(client,))
        for writer, client in zip(writers, clients, strict=True)
    ]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.02, 1.0))
    server.kill()
    for thread in threads:
        thread.join()
    integrity(server.data)
    server.start()
    for writer in writers:
        if writer.problem:
            raise Lost(f"writer {writer.number}: {writer.problem}")
        writer.verify(Client(server.address, *access))


def run(server: Server, kills: int, seed: int) -> tuple[int, int]:
    chance = random.Random(seed)
    writers = [Writer(number, random.Random(chance.random())) for number in range(WRITERS)]
    server.start()
    directory = server.command("directory", "create", "kill9", "--provider", "generic", "--users", "delete")
    access = (urlsplit(directory["tenant_url"]).path, directory["secret_token"])
    passed = 0
    try:
        for number in range(kills):
            life(server, writers, access, chance)
            passed += 1
        verify_everything(writers, Client(server.address, *access))
        passed += 1
        if server.stop() != 0:
            raise Lost("the server did not end well on SIGTERM")
        integrity(server.data)
        passed += 1
    except (Lost, Gone) as problem:
        print(f"FAILED after {passed} kills (--seed {seed}): {problem!r}", file=sys.stderr)
        return passed, 1
    finally:
        if server.process.poll() is None:
            server.kill()
    print(
        f"{kills} kills, {sum(writer.acknowledged for writer in writers)} acknowledged writes, "
        f"{sum(len(writer.people) for writer in writers)} users at the end"
    )
    return passed, 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the program portreeve")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="portreeve-kill9-") as folder:
        server = Server(arguments.program, Path(folder) / "data", Path(folder) / "server.log")
        passed, failed = run(server, arguments.kills, arguments.seed)
        if failed:
            print(Path(server.log.name).read_text(errors="replace")[-4000:], file=sys.stderr)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
