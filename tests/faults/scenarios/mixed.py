"""Everything at random, for some minutes: two servers and their database, and what can happen to each."""

import time
from collections.abc import Callable

from database import Postgres, Wire
from law import Follower, verify
from load import Load
from scenarios.replicas import pair
from world import Server, Stage

MINUTES = 5
RECOVERY_SECONDS = 60
# A request to a server that stands still waits as long as it does.
BOUND_SECONDS = 90


def at_random(stage: Stage) -> None:
    database = Postgres(stage)
    wire = Wire(stage, database.port)
    servers = [*pair(stage, database.url(wire.port))]
    access = servers[0].create_directory("mixed")
    load = Load(stage, servers, access, bound=BOUND_SECONDS)
    follower = Follower(stage, servers)
    load.start()
    end, count = time.monotonic() + MINUTES * 60, 0
    while time.monotonic() < end:
        name, fault = stage.chance.choice(faults(stage, database, wire, servers))
        print(f"    {name}", flush=True)
        fault()
        load.await_progress(RECOVERY_SECONDS, f"all is well after: {name}")
        load.run_for(stage.chance.uniform(0, 2))
        count += 1
    stage.show(f"all was well again after each of {count} faults")
    load.stop()
    verify(stage, load, follower, servers)


def faults(
    stage: Stage, database: Postgres, wire: Wire, servers: list[Server]
) -> list[tuple[str, Callable[[], object]]]:
    server = stage.chance.choice(servers)
    seconds = stage.chance.uniform(0.1, 20)

    def between(begin: Callable[[], object], end: Callable[[], object], most: float = 20) -> Callable[[], None]:
        def fault() -> None:
            begin()
            time.sleep(min(seconds, most))
            end()

        return fault

    def cut_and_mend() -> None:
        wire.cut()
        wire.mend()

    return [
        (f"{server.name} is killed", between(server.kill, server.start, 3)),
        (f"{server.name} is stopped and started", between(server.stop, server.start, 1)),
        (f"{server.name} stands still for {seconds:.1f} s", between(server.pause, server.resume)),
        ("the database is stopped and started", between(database.stop, database.start, 5)),
        ("the database is killed", between(database.kill, database.start, 3)),
        (f"the database stands still for {seconds:.1f} s", between(database.freeze, database.thaw)),
        (f"nothing gets to the database for {seconds:.1f} s", between(wire.swallow, cut_and_mend)),
        ("connections to the database break", cut_and_mend),
    ]
