"""The time of day is set back by an hour while the server runs, and forth again (libfaketime, with a file that says
what time it is)."""

from pathlib import Path

from database import Postgres
from law import Follower, verify
from load import Load
from receiver import Receiver
from scenarios.paused import LEASE, delivered_in_order, told_directory
from scenarios.replicas import join
from world import Access, Broken, Client, Server, Stage, wait_until

# Where Debian and Ubuntu have it: /usr/lib/<machine>/faketime.
LIBRARY = "usr/lib/*/faketime/libfaketimeMT.so.1"
# Longer than the life of a replica that is not heard of (15 s) with what it takes to notice (a beat, 5 s).
LEASE_SECONDS = 22


class Clock:
    """What a server takes for the time of day."""

    def __init__(self, stage: Stage, name: str):
        self.file = stage.folder / f"{name}.clock"
        self.set("+0")
        libraries = [*Path("/").glob(LIBRARY)]
        if not libraries:
            raise Broken("there is no libfaketime here: run scripts/setup test, or install libfaketime")
        self.environment = {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            # Only the time of day is set; a machine's steady clock cannot be.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, offset: str) -> None:
        """Replaced whole, so that nobody reads half of it."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{offset}\n")
        new.rename(self.file)


def embedded(stage: Stage) -> None:
    clock = Clock(stage, "data")
    server = Server(stage, environment=clock.environment).start()
    access = server.create_directory("clock")
    load = Load(stage, [server], access)
    follower = Follower(stage, [server])
    load.start()
    for _ in range(20 if stage.long else 1):
        load.await_progress(30, "the service works")
        tokens = [make_token(server, access, *words) for words in ((), ("--expires", "2h"))]
        revoked = make_token(server, access)
        server.command("token", "revoke", revoked[0], "--directory", access.directory)
        ended = make_token(server, access, "--expires", "1s")
        wait_until(lambda: answered(server, access, ended[1]) == 401, 30, "a token ends")
        for offset, name in (("-3600", "back"), ("+0", "forth")):
            clock.set(offset)
            load.await_progress(30, f"writes go on when the clock is set {name}")
            stage.show(f"writes go on when the clock is set {name}")
            statuses = [answered(server, access, secret) for _, secret in (*tokens, revoked, ended)]
            stage.demand(statuses == [200, 200, 401, 401], f"tokens are as before when it is set {name}", statuses)
            load.run_for(1.5)
    load.stop()
    check_times(stage, server)
    verify(stage, load, follower, [server])


def check_times(stage: Stage, server: Server) -> None:
    """The clock was really set: otherwise this has shown nothing."""
    times = [event["time"] for event in Follower(stage, [server]).finish()]
    stage.demand(times != sorted(times), "the feed goes on in the order of commits, whatever the clock said")


def make_token(server: Server, access: Access, *words: str) -> tuple[str, str]:
    made = server.command("token", "create", "--directory", access.directory, *words)
    return made["id"], made["secret_token"]


def answered(server: Server, access: Access, secret: str) -> int:
    client = Client([server], Access(access.directory, access.base, secret))
    return client.ask("GET", "/Users?count=1").status


def replicas(stage: Stage) -> None:
    """One of two servers goes by a wrong time; it keeps its work, and nobody else does it too."""
    database = Postgres(stage)
    clock = Clock(stage, "first")
    first = Server(stage, "first", database.url(), environment=clock.environment).start()
    second = Server(stage, "second", database.url())
    receiver = Receiver(stage)
    access = told_directory(first, receiver)
    load = Load(stage, [first], access, writers=2, pause=0.05)
    load.start()
    wait_until(lambda: receiver.deliveries, 30, "the first event is delivered")
    join(first, second)
    load.stop()
    load.servers.append(second)
    follower = Follower(stage, [second, first])
    load.start()
    before = database.rows(LEASE)
    # A receiver that is away while the clock is set must not be left alone for an hour.
    receiver.failing = True
    streams = ("stream", "list", "--directory", access.directory)
    wait_until(lambda: first.command(*streams)[0].get("failures"), 30, "a delivery fails")
    clock.set("-3600")
    load.run_for(2)
    receiver.failing = False
    count = len(receiver.deliveries)
    wait_until(lambda: len(receiver.deliveries) > count, 30, "events are delivered again")
    stage.show("a receiver that was away is tried again soon")
    load.run_for(LEASE_SECONDS)
    clock.set("+0")
    load.await_progress(30, "writes go on")
    load.stop()
    stage.demand(database.rows(LEASE) == before, "the work stays with the server whose clock was set")
    stage.demand(receiver.senders() == {first.address}, "and no other one does it", receiver.senders())
    delivered_in_order(stage, receiver, second, access, most=1)
    verify(stage, load, follower, [first, second])
