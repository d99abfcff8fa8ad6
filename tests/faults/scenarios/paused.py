"""A replica stands still (SIGSTOP) past its lease, in the middle of a delivery, while another one takes its work over;
then it goes on (SIGCONT), and must not act on what it had."""

import time

from database import Postgres
from law import Follower, verify
from load import Load
from receiver import Receiver
from scenarios.replicas import join
from world import Access, Server, Stage, wait_until

TAKEN_OVER_SECONDS = 30
LEASE = "SELECT holder, fence FROM leases WHERE name = 'push'"


def past_its_lease(stage: Stage) -> None:
    database = Postgres(stage)
    first, second = Server(stage, "first", database.url()).start(), Server(stage, "second", database.url())
    receiver = Receiver(stage)
    access = told_directory(first, receiver)
    load = Load(stage, [second], access, writers=2, pause=0.05)
    # Only one server is there yet, so the work is its own.
    load.servers[:] = [first]
    load.start()
    wait_until(lambda: receiver.deliveries, 30, "the first event is delivered")
    load.stop()
    join(first, second)
    load.servers[:] = [second]
    follower = Follower(stage, [second])
    load.start()
    replaced(stage, database, receiver, (first, second))
    load.run_for(60 if stage.long else 5)
    load.stop()
    delivered_in_order(stage, receiver, second, access)
    verify(stage, load, follower, [second, first])


def replaced(stage: Stage, database: Postgres, receiver: Receiver, servers: tuple[Server, Server]) -> None:
    first, second = servers
    [[holder, fence]] = database.rows(LEASE)
    receiver.hold()
    wait_until(lambda: receiver.held, 30, "an event is on its way")
    first.pause()
    paused, count = time.monotonic(), len(receiver.deliveries)
    receiver.release()
    wait_until(lambda: receiver.senders(count), TAKEN_OVER_SECONDS, "another server delivers")
    stage.show(f"another server delivers after {time.monotonic() - paused:.0f} s")
    [[new_holder, new_fence]] = database.rows(LEASE)
    stage.demand(
        new_holder != holder and int(new_fence) == int(fence) + 1,
        "the lease has another holder and the next number",
        (holder, fence, new_holder, new_fence),
    )
    count = len(receiver.deliveries)
    first.resume()
    wait_until(lambda: first.said("have taken over its work"), 30, "it notices that it was held to be dead")
    wait_until(lambda: len(receiver.deliveries) > count + 5, 30, "events are delivered")
    senders = receiver.senders(count)
    stage.demand(senders == {second.address}, "the server that was paused delivers nothing", senders)
    stage.demand(database.rows(LEASE) == [[new_holder, new_fence]], "the lease stays where it is")
    replicas = [row[0] for row in database.rows("SELECT id FROM replicas")]
    reborn = len(replicas) == 2 and holder not in replicas
    stage.demand(reborn, "the server that was paused lives again under another id", replicas)


def told_directory(server: Server, receiver: Receiver) -> Access:
    """A directory whose changes are sent to the receiver."""
    access = server.create_directory("told", "--security-events", "true")
    server.command(
        "stream", "create", "--directory", access.directory, "--delivery", "push", "--endpoint", receiver.endpoint
    )
    return access


def delivered_in_order(stage: Stage, receiver: Receiver, server: Server, access: Access, most: int = 2) -> None:
    """Every change is delivered, in the order of the feed, and none more often than `most` times."""
    events = Follower(stage, [server]).finish()
    events = [event for event in events if event["category"] == "SCIM_SYNC"]
    wanted = [event["id"] for event in events if event["directory_id"] == access.directory]
    wait_until(lambda: len(receiver.first_times()) >= len(wanted), 60, "everything is delivered")
    stage.demand(receiver.first_times() == wanted, f"{len(wanted)} events are delivered in the order of the feed")
    times = receiver.most_times()
    stage.demand(times <= most, f"none is delivered more than {most} times", times)
