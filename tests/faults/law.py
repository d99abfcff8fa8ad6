"""What must hold whatever happened, told from the change feed, from the resources, and from what the writers know.

- Every acknowledged deed is in the feed, and each writer's in the order in which it was acknowledged.
- Nothing else is in the feed but deeds that were in doubt.
- The resources are what one gets by carrying out the feed: nothing is half-applied, and no change is without its event.
- Whoever followed the feed while it grew, over all interruptions, saw what one sees who reads it at the end: no
  change came before one that was there already, none twice.
- The log, in which refusals stand beside changes, has every position from 1 on: there are no gaps.
"""

import shutil
import sqlite3
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from load import Deed, Load
from world import Broken, Client, Gone, Server, Stage

PAGE = 1000
# A request in doubt may be carried out while somebody looks; then it is looked at again.
LOOKS = 20


class Follower:
    """Follows the feed while it grows, at any server that answers."""

    def __init__(self, stage: Stage, servers: list[Server]):
        self.servers = servers
        self.events: list[dict] = []
        self.next = 0
        self.problem: Exception | None = None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.follow, name="follower", daemon=True)
        self.thread.start()
        stage.cleanup.callback(self.ending.set)

    def follow(self) -> None:
        turn = 0
        try:
            while not self.ending.is_set():
                turn += 1
                try:
                    self.page(self.servers[turn % len(self.servers)], 1)
                except Gone:
                    self.ending.wait(0.1)
        except Exception as problem:  # a thread has nobody else to tell
            self.problem = problem

    def page(self, server: Server, wait: int) -> bool:
        """Reads on; whether there is more."""
        answer = server.api(f"/changes?after={self.next}&limit={PAGE}&wait={wait}")
        if answer.status == 503:
            raise Gone(True, answer)
        if answer.status != 200:
            raise Broken(f"the feed after {self.next}: {answer}")
        changes = answer.body["changes"]
        positions = [self.next, *(event["position"] for event in changes)]
        if positions != sorted(set(positions)) or answer.body["next"] < positions[-1]:
            raise Broken(f"the feed after {self.next} is out of order: {positions}")
        self.events += changes
        self.next = answer.body["next"]
        return answer.body["more"]

    def finish(self) -> list[dict]:
        """Everything, to the end that the feed has now."""
        self.ending.set()
        self.thread.join()
        if self.problem:
            raise self.problem
        while self.page(self.servers[0], 0):
            pass
        return self.events


@dataclass
class Roll:
    """People and groups, as a feed or a server tells of them."""

    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def apply(self, event: dict) -> list[Deed]:
        """Carries out an event of the feed; the deeds that it stands for."""
        kind, action = event["object"]["type"], event["action"]
        thing, name = event["object"]["id"], event["object"]["name"]
        changes = {change["attribute"]: change for change in event.get("changes", [])}
        match kind, action:
            case "User", "create":
                self.people[thing] = (name, changes["title"]["new"])
                return [("create", name)]
            case "User", "patch":
                title = changes["title"]["new"]
                self.people[thing] = (self.people[thing][0], title)
                return [("title", thing, title)]
            case "User", "delete":
                del self.people[thing]
                for members in self.members.values():
                    members.discard(thing)
                return [("delete", thing)]
            case "Group", "create":
                self.groups[thing] = name
                self.members[thing] = set()
                return [("group", name)]
            case "Group", "patch":
                come, gone = changes["members"].get("new", []), changes["members"].get("old", [])
                self.members[thing] = (self.members[thing] | set(come)) - set(gone)
                return [("add", thing, user) for user in come] + [("remove", thing, user) for user in gone]
            case _:
                raise Broken(f"nobody asked for this: {event}")


def verify(stage: Stage, load: Load, follower: Follower, servers: list[Server]) -> None:
    """Checks the law. The load has ended, every server given answers."""
    client = Client(servers, load.access)
    directory = load.access.directory
    for _ in range(LOOKS):
        events = Follower(stage, servers).finish()
        found = read_roll(client)
        if events == Follower(stage, servers).finish():
            break
    else:
        raise Broken("changes are made although nobody asks for any")
    followed = follower.finish()
    if followed != events:
        difference = differ(followed, events)
        raise Broken(f"who followed the feed saw {len(followed)} changes, and it has {len(events)}: {difference}")
    check_log(servers[0], events)
    roll, deeds = Roll(), []
    for event in events:
        if event["category"] == "SCIM_SYNC" and event["directory_id"] == directory:
            deeds += roll.apply(event)
    check_deeds(load, deeds)
    if roll != found:
        raise Broken(f"the feed leads to other resources than there are: {differ_in(roll, found)}")
    doubtful = sum(sum(writer.doubtful.values()) for writer in load.writers)
    stage.show(f"{load.acknowledged()} acknowledged changes are there and in the feed, {doubtful} were in doubt")


def check_deeds(load: Load, deeds: list[Deed]) -> None:
    surplus = Counter(deeds)
    for writer in load.writers:
        owed = iter(writer.acknowledged)
        due = next(owed, None)
        for deed in deeds:
            if deed == due:
                due = next(owed, None)
        if due is not None:
            raise Broken(f"{writer.name}: {due} was acknowledged and is not in the feed, or not in its place")
        surplus.subtract(writer.acknowledged)
    for writer in load.writers:
        surplus.subtract({deed: min(count, max(surplus[deed], 0)) for deed, count in writer.doubtful.items()})
    wrong = {deed: count for deed, count in surplus.items() if count != 0}
    if wrong:
        some = list(wrong.items())[:5]
        raise Broken(f"in the feed more often than asked for, or less often than acknowledged: {some}")


def check_log(server: Server, events: list[dict]) -> None:
    log: list[dict] = []
    while True:
        after = log[-1]["position"] if log else 0
        answer = server.api(f"/events?after={after}&limit={PAGE}")
        if answer.status != 200:
            raise Broken(f"the log after {after}: {answer}")
        if not answer.body:
            break
        log += answer.body
    positions = [event["position"] for event in log]
    if positions != list(range(1, len(log) + 1)):
        gaps = [position for position, wanted in enumerate(positions, 1) if position != wanted]
        raise Broken(f"the log has gaps or doubles: {len(log)} events, the first wrong place is {gaps[:1]}")
    if len({event["id"] for event in log}) != len(log):
        raise Broken("an event is in the log twice")
    # Who signs in changes nothing that the feed tells of.
    told = [event for event in log if event["category"] not in ("AUTH", "SESSION")]
    changes = {event["position"] for event in told if event["outcome"] == "ok"}
    if changes != {event["position"] for event in events}:
        raise Broken("the feed has other changes than the log")


def read_roll(client: Client) -> Roll:
    """What the server says there is, read with cursors."""
    roll = Roll()
    for user in walk(client, "/Users?attributes=userName,title"):
        if user["id"] in roll.people:
            raise Broken(f"{user} is listed twice")
        roll.people[user["id"]] = (user["userName"], user["title"])
    for group in walk(client, "/Groups?attributes=displayName"):
        whole = client.expect(200, "GET", f"/Groups/{group['id']}")
        roll.groups[group["id"]] = whole["displayName"]
        roll.members[group["id"]] = {member["value"] for member in whole.get("members", [])}
    return roll


def walk(client: Client, path: str) -> list[dict]:
    found, cursor = [], ""
    while cursor is not None:
        body = client.expect(200, "GET", f"{path}&count=500&cursor={quote(cursor)}")
        found += body.get("Resources", [])
        cursor = body.get("nextCursor")
    return found


def differ(one: list[dict], other: list[dict]) -> object:
    places = {event["position"]: event["id"] for event in one}.items() ^ {
        event["position"]: event["id"] for event in other
    }.items()
    return sorted(places)[:5]


def differ_in(one: Roll, other: Roll) -> object:
    people = sorted(one.people.items() ^ other.people.items())[:5]
    groups = sorted(one.groups.items() ^ other.groups.items())[:5]
    members = [(group, ids ^ other.members.get(group, set())) for group, ids in one.members.items()]
    return people, groups, [(group, ids) for group, ids in members if ids][:5]


def check_files(stage: Stage, data: Path) -> None:
    """Checks a copy of every SQLite file in a data folder, logs included, as they lie there."""
    with tempfile.TemporaryDirectory(dir=stage.folder) as copy:
        for file in data.iterdir():
            # The shared memory is an index of the log that a power cut would take away.
            if file.is_file() and not file.name.endswith("-shm"):
                shutil.copy(file, copy)
        databases = [file for file in Path(copy).iterdir() if is_sqlite(file)]
        if not databases:
            raise Broken(f"there is no SQLite file in {data}")
        for file in databases:
            database = sqlite3.connect(file)
            answer = database.execute("PRAGMA integrity_check").fetchall()
            foreign = database.execute("PRAGMA foreign_key_check").fetchall()
            database.close()
            if answer != [("ok",)] or foreign:
                raise Broken(f"{file.name}: {answer[:5]} {foreign[:5]}")


def is_sqlite(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(16) == b"SQLite format 3\0"
