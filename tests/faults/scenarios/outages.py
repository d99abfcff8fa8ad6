"""PostgreSQL goes away under load and comes back. Requests end with 503 and `Retry-After` within the time that the
manual promises, reads too; then all is well without a restart of the server."""

import time
from collections.abc import Callable

from database import Postgres, Wire
from law import Follower, verify
from load import Load
from world import SLACK_SECONDS, Server, Stage, wait_until

RECOVERY_SECONDS = 40

# What background work says when the database is away, however often it meets that.
COMPLAINTS = (
    "cannot tell the others that it lives",
    "security events are not pushed",
    "times of last contact are not written",
    "which applications are to be provisioned could not be read",
)

# What the store says of it.
OUTAGE = ("the database cannot be reached", "the database does not answer")


def stopped(stage: Stage) -> None:
    database = Postgres(stage)
    outage(stage, database.url(), database.stop, database.start)


def killed(stage: Stage) -> None:
    database = Postgres(stage)
    outage(stage, database.url(), database.kill, database.start)


def frozen(stage: Stage) -> None:
    database = Postgres(stage)
    outage(stage, database.url(), database.freeze, database.thaw)


def unplugged(stage: Stage) -> None:
    """What is sent vanishes, then the connections break and none can be made."""
    database = Postgres(stage)
    wire = Wire(stage, database.port)

    def end() -> None:
        wire.cut()
        time.sleep(1)
        wire.mend()

    outage(stage, database.url(wire.port), wire.swallow, end)


def outage(stage: Stage, url: str, begin: Callable[[], object], end: Callable[[], object]) -> None:
    # In the short form the time limit is short too, so that it is met.
    seconds, limit = (30, 30) if stage.long else (8, 5)
    server = Server(stage, database=url, options=("--request-timeout", str(limit))).start()
    access = server.create_directory("outage")
    load = Load(stage, [server], access, bound=limit + SLACK_SECONDS)
    follower = Follower(stage, [server])
    load.start()
    load.await_progress(30, "the service works")
    for _ in range(3 if stage.long else 1):
        one(stage, server, load, (begin, end), seconds)
    load.stop()
    verify(stage, load, follower, [server])


def one(stage: Stage, server: Server, load: Load, fault: tuple[Callable, Callable], seconds: float) -> None:
    process, before = server.process.pid, refusals(load)
    told = [server.times_said(words) for words in COMPLAINTS]
    begin, end = fault
    begin()
    begun = time.monotonic()
    stage.demand(server.health("/healthz") == 200, "the process says that it is up")
    wait_until(lambda: server.health("/readyz") == 503, 30, "it says that it is not ready")
    stage.show("it says that it is not ready")
    load.run_for(max(0.0, begun + seconds - time.monotonic()))
    end()
    ended = time.monotonic()
    load.await_progress(RECOVERY_SECONDS, "all is well again")
    same = server.process.poll() is None and server.process.pid == process
    stage.demand(same, f"all is well {time.monotonic() - ended:.1f} s later, without a restart")
    writes, reads = (now - then for now, then in zip(refusals(load), before, strict=True))
    stage.demand(writes and reads, "requests were refused with 503 and Retry-After", f"{writes} writes, {reads} reads")
    # It looks every few seconds, and may have looked before the end of the fault.
    wait_until(lambda: server.health("/readyz") == 200, 30, "it says that it is ready")
    stage.show("it says that it is ready")
    told = [server.times_said(words) - then for words, then in zip(COMPLAINTS, told, strict=True)]
    # Work that only had to wait has nothing to tell.
    stage.demand(max(told) <= 1, "the log tells nothing twice that does not work meanwhile", str(told))
    stage.demand(any(map(server.times_said, OUTAGE)), "and that the database is away")


def refusals(load: Load) -> tuple[int, int]:
    return sum(writer.refused for writer in load.writers), load.reader.refused
