#!/usr/bin/env python3
"""A scripted session with scim2-cli, an independent SCIM client, against one SCIM base URL.

Each step runs the program `scim` as a person would type it and looks at its exit code, what it prints and,
for what changed, at the resource read again.

Usage: SCIM_TOKEN=... scim2_cli.py BASE_URL

Ends with the line "N passed, N failed"; exits 0 only when something passed and nothing failed.
"""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

SCIM = Path(sys.executable).parent / "scim"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass
class Answer:
    code: int
    body: object
    errors: str


class Session:
    """One server and one token; `run` is one command line."""

    def __init__(self, url: str, token: str):
        self.url = url
        self.token = token
        self.passed = 0
        self.failed = 0

    def run(self, *words: str, stdin: object = None, token: str | None = None) -> Answer:
        environment = os.environ | {
            "SCIM_CLI_URL": self.url,
            "SCIM_CLI_HEADERS": f"Authorization: Bearer {token or self.token}",
        }
        done = subprocess.run(
            [SCIM, *words],
            input="" if stdin is None else json.dumps(stdin),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        try:
            body = json.loads(done.stdout) if done.stdout.strip() else None
        except json.JSONDecodeError:
            body = done.stdout
        return Answer(done.returncode, body, done.stderr)

    def check(self, step: str, good: bool, answer: Answer) -> None:
        if good:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {step}\n    exit code {answer.code}\n    {answer.body}\n    {answer.errors}", file=sys.stderr)


def discovery(session: Session) -> None:
    answer = session.run("create", "--help")
    session.check(
        "the commands for users and groups come from the server's own description",
        answer.code == 0 and all(f"\n  {name} " in str(answer.body) for name in ("user", "group")),
        answer,
    )
    answer = session.run("create", "user", "--help")
    session.check("the schema's attributes are options", "--user-name" in str(answer.body), answer)


def wrong_token(session: Session) -> None:
    answer = session.run("query", "user", token="not-the-token")
    session.check("a wrong token is refused, and the client can say so", answer.code != 0 and answer.errors != "", answer)


def create_user(session: Session, name: str) -> str:
    wanted = {
        "schemas": [USER, ENTERPRISE],
        "userName": name,
        "externalId": name,
        "name": {"givenName": "Zoë", "familyName": "Ångström"},
        "emails": [{"value": name, "type": "work", "primary": True}],
        "active": True,
        ENTERPRISE: {"department": "Physics"},
    }
    answer = session.run("create", "user", stdin=wanted)
    body = answer.body if isinstance(answer.body, dict) else {}
    session.check(
        "create a user",
        answer.code == 0 and all(body.get(key) == wanted[key] for key in wanted if key != "schemas"),
        answer,
    )
    again = session.run("create", "user", stdin=wanted)
    session.check(
        "the same userName again is a conflict",
        again.code == 1 and isinstance(again.body, dict) and again.body.get("scimType") == "uniqueness",
        again,
    )
    return str(body.get("id", "missing"))


def find_user(session: Session, user: str, name: str) -> None:
    for title, words, found in [
        ("by userName in other letters", ["--filter", f'userName eq "{name.upper()}"'], [user]),
        ("by externalId", ["--filter", f'externalId eq "{name}"'], [user]),
        ("by a value path", ["--filter", f'emails[type eq "work" and value sw "{name}"]'], [user]),
        ("by an extension's attribute, with another term", ["--filter", f'{ENTERPRISE}:department eq "Physics" and userName eq "{name}"'], [user]),
        ("nobody", ["--filter", 'userName eq "nobody@contoso.example"'], []),
    ]:
        answer = session.run("query", "user", *words)
        session.check(f"find {title}", ids(answer) == found, answer)
    answer = session.run("search", "user", "--filter", f'userName eq "{name}"')
    session.check("find with POST .search", ids(answer) == [user], answer)
    answer = session.run("query", "user", "--filter", "active gt true")
    session.check(
        "a filter that asks for an order among booleans is refused",
        answer.code == 1 and isinstance(answer.body, dict) and answer.body.get("scimType") == "invalidFilter",
        answer,
    )
    answer = session.run("query", "user", "--cursor", "", "--count", "1")
    session.check("a page by cursor", answer.code == 0 and len(ids(answer)) == 1, answer)


def replace_user(session: Session, user: str, name: str) -> None:
    answer = session.run("replace", "user", stdin={"schemas": [USER], "id": user, "userName": name, "displayName": "Zoë"})
    session.check("replace a user", answer.code == 0, answer)
    read = session.run("query", "user", user)
    body = read.body if isinstance(read.body, dict) else {}
    session.check(
        "what the replacement does not have is gone",
        body.get("displayName") == "Zoë" and "name" not in body and ENTERPRISE not in body,
        read,
    )


def modify_user(session: Session, user: str) -> None:
    answer = session.run(
        "modify", "user", user,
        "add", "emails", '[{"value": "zoe@contoso.example", "type": "home"}]',
        "replace", "displayName", "Zoë Ångström",
        "add", f"{ENTERPRISE}:department", "Optics",
    )  # fmt: skip
    session.check("modify a user, three operations", answer.code == 0, answer)
    answer = session.run("modify", "user", user, "replace", 'emails[type eq "home"].value', "home@contoso.example")
    session.check("modify through a value path", answer.code == 0, answer)
    answer = session.run("modify", "user", user, "replace", "active", "false")
    session.check("deactivate", answer.code == 0, answer)
    read = session.run("query", "user", user)
    body = read.body if isinstance(read.body, dict) else {}
    session.check(
        "the modifications are there",
        body.get("displayName") == "Zoë Ångström"
        and body.get("active") is False
        and [email.get("value") for email in body.get("emails", [])] == ["home@contoso.example"]
        and body.get(ENTERPRISE, {}).get("department") == "Optics",
        read,
    )
    answer = session.run("modify", "user", user, "replace", "userName", "")
    session.check("an empty userName is refused", answer.code != 0, answer)


def group_session(session: Session, user: str) -> None:
    name = f"Physicists {uuid.uuid4()}"
    answer = session.run("create", "group", stdin={"schemas": [GROUP], "displayName": name})
    group = str(answer.body.get("id")) if isinstance(answer.body, dict) else "missing"
    session.check("create a group", answer.code == 0, answer)
    answer = session.run("modify", "group", group, "add", "members", json.dumps([{"value": user}]))
    session.check("add a member", answer.code == 0, answer)
    read = session.run("query", "user", user)
    groups = read.body.get("groups", []) if isinstance(read.body, dict) else []
    session.check("the member knows its group", [entry.get("value") for entry in groups] == [group], read)
    answer = session.run("modify", "group", group, "remove", f'members[value eq "{user}"]')
    session.check("remove the member", answer.code == 0, answer)
    read = session.run("query", "group", group)
    session.check(
        "the group has no members",
        isinstance(read.body, dict) and not read.body.get("members") and read.body.get("displayName") == name,
        read,
    )
    answer = session.run("delete", "group", group)
    session.check("delete the group", answer.code == 0, answer)


def bulk(session: Session) -> None:
    user = {"schemas": [USER], "userName": f"bulk-{uuid.uuid4()}@contoso.example"}
    group = {"schemas": [GROUP], "displayName": f"Bulk {uuid.uuid4()}", "members": [{"value": "bulkId:one"}]}
    answer = session.run(
        "bulk",
        stdin={
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                {"method": "POST", "path": "/Groups", "bulkId": "two", "data": group},
                {"method": "POST", "path": "/Users", "bulkId": "one", "data": user},
            ],
        },
    )
    operations = answer.body.get("Operations", []) if isinstance(answer.body, dict) else []
    session.check(
        "bulk, with a reference to what is created later in the same request",
        answer.code == 0 and sorted(str(operation.get("status")) for operation in operations) == ["201", "201"],
        answer,
    )
    for operation in operations:
        kind, identifier = str(operation.get("location")).rsplit("/", 2)[1:]
        session.run("delete", kind.removesuffix("s").lower(), identifier)


def delete_user(session: Session, user: str) -> None:
    answer = session.run("delete", "user", user)
    session.check("delete the user", answer.code == 0, answer)
    answer = session.run("query", "user", user)
    session.check(
        "a deleted user is not found",
        answer.code == 1 and isinstance(answer.body, dict) and answer.body.get("status") == "404",
        answer,
    )


def ids(answer: Answer) -> list[str]:
    resources = answer.body.get("Resources", []) if isinstance(answer.body, dict) else []
    return [resource.get("id") for resource in resources]


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    session = Session(sys.argv[1], os.environ["SCIM_TOKEN"])
    name = f"zoe-{uuid.uuid4()}@contoso.example"
    discovery(session)
    wrong_token(session)
    user = create_user(session, name)
    find_user(session, user, name)
    replace_user(session, user, name)
    modify_user(session, user)
    group_session(session, user)
    bulk(session)
    delete_user(session, user)
    print(f"{session.passed} passed, {session.failed} failed")
    return 0 if session.passed and not session.failed else 1


if __name__ == "__main__":
    sys.exit(main())
