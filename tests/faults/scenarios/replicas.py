"""Two servers on one PostgreSQL, and a client that goes to one and to the other in turn."""

import shutil
import time

from database import Postgres
from law import Follower, verify
from load import GROUP, USER, Load, patch
from world import Access, Broken, Client, Server, Stage

# How long a server may go by what another one has changed.
FORGETS_SECONDS = 1.0


def pair(stage: Stage, url: str, **more) -> tuple[Server, Server]:
    first = Server(stage, "first", url, **more).start()
    second = Server(stage, "second", url, **more)
    join(first, second)
    return first, second


def join(first: Server, second: Server) -> None:
    """The second server gets the key of the first one and starts."""
    second.data.mkdir(mode=0o700)
    shutil.copy(first.data / "master.key", second.data)
    second.start()


def one_killed(stage: Stage) -> None:
    database = Postgres(stage)
    servers = pair(stage, database.url())
    access = servers[0].create_directory("killed")
    load = Load(stage, [*servers], access)
    follower = Follower(stage, [*servers])
    load.start()
    for number in range(40 if stage.long else 6):
        load.run_for(stage.chance.uniform(0.3, 1.0))
        victim = servers[number % 2]
        victim.kill()
        load.await_progress(30, "the other server goes on")
        victim.start()
        stage.show("the other server goes on while one is dead")
    load.stop()
    verify(stage, load, follower, [*servers])


def agree(stage: Stage) -> None:
    database = Postgres(stage)
    first, second = pair(stage, database.url())
    access = first.create_directory("agree")
    load = Load(stage, [first, second], access, writers=2, pause=0.01)
    follower = Follower(stage, [first, second])
    load.start()
    other = first.create_directory("other")
    for number in range(200 if stage.long else 30):
        reads_the_others_write(other, [first, second], number)
    stage.show("what was written through one server is read through the other at once")
    for _ in range(10 if stage.long else 3):
        revoked_elsewhere(stage, other, first, second)
        settings_elsewhere(stage, other, first, second)
    load.stop()
    verify(stage, load, follower, [first, second])


def reads_the_others_write(access: Access, servers: list[Server], number: int) -> None:
    one, two = Client(servers, access), Client(servers[::-1], access)
    name = f"seen.{number}@contoso.example"
    user = one.expect(201, "POST", "/Users", {"schemas": [USER], "userName": name, "title": "0"})["id"]
    seen = two.expect(200, "GET", f"/Users/{user}")
    # `one` stands before the second server now, and `two` before the first.
    status = one.ask("PATCH", f"/Users/{user}", patch("replace", "title", "1")).status
    changed = two.expect(200, "GET", f"/Users/{user}")
    if seen["userName"] != name or status // 100 != 2 or changed["title"] != "1":
        raise Broken(f"{seen}, {status}, {changed}")


def revoked_elsewhere(stage: Stage, access: Access, first: Server, second: Server) -> None:
    made = first.command("token", "create", "--directory", access.directory)
    client = Client([second], Access(access.directory, access.base, made["secret_token"]))
    client.expect(200, "GET", "/Users?count=1")
    first.command("token", "revoke", made["id"], "--directory", access.directory)
    holds_soon(lambda: client.ask("GET", "/Users?count=1").status == 401)
    stage.show("a token revoked at one server is refused at the other within a second")


def settings_elsewhere(stage: Stage, access: Access, first: Server, second: Server) -> None:
    client = Client([second], access)
    group = {"schemas": [GROUP], "displayName": f"group {stage.chance.random()}"}
    client.expect(201, "POST", "/Groups", group)
    client.expect(409, "POST", "/Groups", group)
    first.command("directory", "update", access.directory, "--unique-group-names", "false")
    holds_soon(lambda: client.ask("POST", "/Groups", group).status == 201)
    for twin in client.expect(200, "GET", "/Groups?attributes=displayName")["Resources"]:
        client.expect(204, "DELETE", f"/Groups/{twin['id']}")
    first.command("directory", "update", access.directory, "--unique-group-names", "true")
    stage.show("settings changed at one server hold at the other within a second")


def holds_soon(holds) -> None:
    """What is sent later than a second from now is answered by the new rules, however long the answer takes."""
    changed = time.monotonic()
    while True:
        sent = time.monotonic()
        if holds():
            return
        if sent > changed + FORGETS_SECONDS:
            raise Broken(f"{sent - changed:.2f} s after the change the old rules held")
        time.sleep(0.02)
