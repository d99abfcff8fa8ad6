"""Clients that write and read, and remember what they were told.

A deed is one change that a client asked for. It was acknowledged (2xx), or refused for now with the word that nothing
was changed, or nobody knows: then it is in doubt, and what it was about is left alone from then on, because such a
request may be carried out even later.
"""

import random
import threading
import time
from collections import Counter

from world import Access, Broken, Client, Gone, Server, Stage, wait_until

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

# How many people a writer makes before it deletes as many as it creates.
CROWD = 60
# Between two attempts while the service is away.
PATIENCE_SECONDS = 0.1
NOTHING_CHANGED = "nothing was changed"

Deed = tuple[str, ...]


class Refused(Exception):
    """503: not now."""


class Writer:
    """Owns its people and its group: nobody else touches them."""

    def __init__(self, number: int, chance: random.Random):
        self.name = f"writer{number}"
        self.chance = chance
        self.client: Client | None = None
        self.people: list[str] = []
        self.members: set[str] = set()
        self.group: str | None = None
        self.count = 0
        self.acknowledged: list[Deed] = []
        self.doubtful: Counter[Deed] = Counter()
        self.refused = 0

    def act(self) -> None:
        self.count += 1
        if self.group is None:
            self.create_group()
        elif not self.people:
            self.create()
        else:
            choice = self.chance.random()
            if choice < (0.4 if len(self.people) < CROWD else 0.15):
                self.create()
            elif choice < 0.65:
                self.change()
            elif choice < 0.85:
                self.toggle_member()
            else:
                self.delete()

    def create_group(self) -> None:
        name = f"{self.name}-group-{self.count}"
        self.group = self.attempt(("group", name), "POST", "/Groups", {"schemas": [GROUP], "displayName": name})["id"]

    def create(self) -> None:
        name = f"{self.name}.{self.count}@contoso.example"
        body = {"schemas": [USER], "userName": name, "externalId": name, "title": "0", "active": True}
        self.people.append(self.attempt(("create", name), "POST", "/Users", body)["id"])

    def change(self) -> None:
        user, title = self.take_one(), str(self.count)
        self.attempt(("title", user, title), "PATCH", f"/Users/{user}", patch("replace", "title", title))
        self.people.append(user)

    def toggle_member(self) -> None:
        user = self.take_one()
        if user in self.members:
            action, operation = "remove", patch("remove", f'members[value eq "{user}"]')
        else:
            action, operation = "add", patch("add", "members", [{"value": user}])
        self.attempt((action, self.group, user), "PATCH", f"/Groups/{self.group}", operation)
        self.members ^= {user}
        self.people.append(user)

    def delete(self) -> None:
        user = self.take_one()
        self.attempt(("delete", user), "DELETE", f"/Users/{user}")
        self.members.discard(user)

    def take_one(self) -> str:
        """Somebody, who comes back only when it is known what became of the deed."""
        return self.people.pop(self.chance.randrange(len(self.people)))

    def attempt(self, deed: Deed, method: str, path: str, body: object = None) -> dict:
        try:
            answer = self.client.ask(method, path, body)
        except Gone as gone:
            self.doubtful[deed] += gone.sent
            raise
        if answer.status == 503:
            self.refused += 1
            self.doubtful[deed] += NOTHING_CHANGED not in answer.body.get("detail", "")
            be_polite(answer.retry_after, answer)
            raise Refused
        if answer.status // 100 != 2:
            raise Broken(f"{method} {path}: {answer}")
        self.acknowledged.append(deed)
        return answer.body


class Reader:
    """Reads whatever the writers have."""

    def __init__(self, writers: list[Writer], chance: random.Random):
        self.name = "reader"
        self.writers = writers
        self.chance = chance
        self.client: Client | None = None
        self.answered = 0
        self.refused = 0

    def act(self) -> None:
        people = list(self.chance.choice(self.writers).people)
        if people and self.chance.random() < 0.7:
            path, fine = f"/Users/{self.chance.choice(people)}", (200, 404)
        else:
            path, fine = "/Users?count=5&filter=active%20eq%20true", (200,)
        answer = self.client.ask("GET", path)
        if answer.status == 503:
            self.refused += 1
            be_polite(answer.retry_after, answer)
            raise Refused
        if answer.status not in fine:
            raise Broken(f"GET {path}: {answer}")
        self.answered += 1


def be_polite(retry_after: str | None, answer: object) -> None:
    if retry_after is None or not retry_after.isdigit() or int(retry_after) < 1:
        raise Broken(f"503 without a Retry-After in seconds: {answer}")


class Load:
    """Writers and a reader at work, each in a thread, until they are told to stop. They can be sent to work again."""

    def __init__(
        self,
        stage: Stage,
        servers: list[Server],
        access: Access,
        *,
        writers: int = 4,
        pause: float = 0.002,
        bound: float = 40,
    ):
        self.servers, self.access, self.pause, self.bound = servers, access, pause, bound
        self.writers = [Writer(number, random.Random(stage.chance.random())) for number in range(writers)]
        self.reader = Reader(self.writers, random.Random(stage.chance.random()))
        self.threads: list[threading.Thread] = []
        self.resting = threading.Event()
        self.problems: list[Exception] = []
        stage.cleanup.callback(self.resting.set)

    def start(self) -> None:
        self.resting.clear()
        for one in [*self.writers, self.reader]:
            one.client = Client(self.servers, self.access, self.bound)
            thread = threading.Thread(target=self.work, args=(one,), name=one.name, daemon=True)
            thread.start()
            self.threads.append(thread)

    def work(self, one: Writer | Reader) -> None:
        try:
            while not self.resting.wait(self.pause):
                try:
                    one.act()
                except (Gone, Refused):
                    self.resting.wait(PATIENCE_SECONDS)
        except Exception as problem:  # a thread has nobody else to tell
            self.problems.append(problem)

    def stop(self) -> None:
        self.resting.set()
        for thread in self.threads:
            thread.join()
        self.threads.clear()
        self.check()

    def check(self) -> None:
        if self.problems:
            raise self.problems[0]

    def acknowledged(self) -> int:
        return sum(len(writer.acknowledged) for writer in self.writers)

    def await_progress(self, seconds: float, what: str) -> None:
        """Until each has had some answers from now on."""
        counts = [len(writer.acknowledged) for writer in self.writers]
        reads = self.reader.answered

        def all_go_on() -> bool:
            self.check()
            writes = all(
                len(writer.acknowledged) >= before + 3 for writer, before in zip(self.writers, counts, strict=True)
            )
            return writes and self.reader.answered > reads

        wait_until(all_go_on, seconds, what)

    def run_for(self, seconds: float) -> None:
        time.sleep(seconds)
        self.check()


def patch(operation: str, path: str, value: object = None) -> dict:
    body = {"op": operation, "path": path}
    if value is not None:
        body["value"] = value
    return {"schemas": [PATCH], "Operations": [body]}
