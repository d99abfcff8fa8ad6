#!/usr/bin/env python3
"""Has schemathesis judge the admin API by its own description, with a database that has one of everything in it.

An owner's API token asks; every check of schemathesis counts but the ones in LEFT_OUT, for the reasons there.

Usage: openapi_tester.py URL PROGRAM DATA [--seconds N] [-- WORDS FOR SCHEMATHESIS]

Ends with the line "N passed, N failed", in operations; exits 0 only when something passed and nothing failed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import requests

# A filter's grammar, a definition or a name that is taken cannot be said in JSON Schema, so valid data may be refused.
LEFT_OUT = ["positive_data_acceptance"]
SEED = "20261122"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="where the server listens")
    parser.add_argument("program", help="the program portreeve")
    parser.add_argument("data", help="the server's data folder")
    parser.add_argument("--seconds", type=int, default=150, help="how long to go on")
    parser.add_argument("words", nargs="*", help="more words for schemathesis")
    arguments = parser.parse_args()

    owner = sign_in(arguments)
    ids = fill(owner)
    token = owner.post("/api-tokens", {"name": "tester", "permissions": owner.permissions()})["secret"]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "schemathesis.toml")
        config.write_text(configuration(ids), encoding="utf-8")
        report = Path(folder, "report.ndjson")
        done = run(arguments, config, report, token)
        return count(report, done)


class Api:
    """The API for whoever has the session."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.base = f"{url}/api/v1"
        self.session = session

    def send(self, method: str, path: str, body: object = None) -> dict:
        answer = self.session.request(method, self.base + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: object) -> dict:
        return self.send("POST", path, body)

    def permissions(self) -> list[str]:
        return self.send("GET", "/me")["permissions"]


def sign_in(arguments: argparse.Namespace) -> Api:
    """Follows an owner's link, as a person would."""
    made = subprocess.run(
        [arguments.program, "owner", "link", "-o", "json", "--data", arguments.data],
        check=True,
        capture_output=True,
    )
    path = urlsplit(json.loads(made.stdout)["url"]).path
    session = requests.Session()
    session.trust_env = False
    followed = session.get(arguments.url + path, allow_redirects=False, timeout=30)
    # The cookie is for https only, which browsers do not demand of this machine, and this client does.
    cookie = followed.headers["Set-Cookie"].split(";")[0]
    session.cookies.clear()
    session.headers.update({"Cookie": cookie, "Sec-Fetch-Site": "same-origin"})
    return Api(arguments.url, session)


def fill(api: Api) -> dict[str, list[str]]:
    """Makes one of everything, and returns the ids by the names that paths have for them."""
    native = api.post("/directories", {"name": "People", "provider": "native"})["id"]
    inside = f"/directories/{native}"
    users = [api.post(f"{inside}/users", {"user_name": f"user{n}@example.com"})["id"] for n in range(20)]
    groups = [api.post(f"{inside}/groups", {"display_name": f"group {n}"})["id"] for n in range(5)]
    for group in groups:
        for user in users[:3]:
            api.post(f"{inside}/groups/{group}/members", {"id": user})
    fed = api.post("/directories", {"name": "Fed", "provider": "entra", "security_events": True})
    stream = api.post(f"/directories/{fed['id']}/streams", {"delivery": "poll"})["id"]
    account = api.post("/service-accounts", {"name": "robot", "permissions": ["user:read"]})["id"]
    token = api.post("/api-tokens", {"service_account": account, "permissions": ["user:read"]})["id"]
    owner = api.post("/owners", {"name": "ada"})["id"]
    application = api.post("/applications", definition(fed))["id"]
    api.post(f"/applications/{application}/pause", None)
    doomed = [api.post("/directories", {"name": f"Doomed {n}"})["id"] for n in range(5)]
    events = [event["id"] for event in api.send("GET", "/events?limit=5")]
    return {
        "directory": [native, fed["id"]],
        "doomed": doomed,
        "user": users[:4],
        "member": users[:2],
        "group": groups[:2],
        "token": [fed["token_id"]],
        "stream": [stream],
        "service_account": [account],
        "api_token": [token],
        "owner": [owner],
        "application": [application],
        "event": events,
        "team": ["main"],
    }


def definition(fed: dict) -> dict:
    """An application from the one directory to the other."""
    return {
        "name": "Copy",
        "template": "portreeve",
        "source": {"type": "directory", "directory": "People"},
        "target": {
            "url": fed["tenant_url"],
            "authentication": {"type": "bearer", "token": fed["secret_token"]},
            "allow_private_addresses": True,
        },
    }


def configuration(ids: dict[str, list[str]]) -> str:
    """Has paths name things that are there, most of the time."""
    lines = []
    for name, known in ids.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(known)}"]
    # 412 refuses as well: whether a thing has changed meanwhile may be looked at before what is to become of it.
    refusals = ["400", "401", "403", "404", "405", "406", "409", "412", "415", "422", "428", "429", "5xx"]
    lines += ["[checks.negative_data_rejection]", f"expected-statuses = {json.dumps(refusals)}"]
    lines += ["[parameters]"]
    often = "probability = 0.8"
    lines += [f'"path.{name}" = {{ dictionary = "{name}", {often} }}' for name in ids if name != "doomed"]
    lines += [
        # Most of what is there is in directories, and goes with them.
        "[[operations]]",
        'include-operation-id = "directory.delete"',
        f'parameters = {{ "path.directory" = {{ dictionary = "doomed", {often} }} }}',
    ]
    return "\n".join(lines) + "\n"


def run(arguments: argparse.Namespace, config: Path, report: Path, token: str) -> int:
    """Runs schemathesis, and returns its exit code."""
    command = [
        str(Path(sys.executable).with_name("st")),
        f"--config-file={config}",
        "run",
        f"{arguments.url}/api/v1/openapi.json",
        f"--header=Authorization: Bearer {token}",
        "--checks=all",
        f"--exclude-checks={','.join(LEFT_OUT)}",
        "--phases=examples,coverage,fuzzing",
        "--max-examples=12",
        f"--max-time={arguments.seconds}",
        f"--seed={SEED}",
        "--continue-on-failure",
        "--request-timeout=20",
        "--suppress-health-check=all",
        "--generation-database=none",
        f"--report-ndjson-path={report}",
        *arguments.words,
    ]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    # It leaves a cache where it runs.
    return subprocess.run(command, env=environment, cwd=report.parent).returncode


def count(report: Path, done: int) -> int:
    """Counts operations by the events of the report."""
    good: dict[str, bool] = {}
    for line in report.read_text(encoding="utf-8").splitlines():
        for name, event in json.loads(line).items():
            if name == "ScenarioFinished":
                label, failed = event["recorder"]["label"], event["status"] in ("failure", "error")
                good[label] = good.get(label, True) and not failed
    passed = sum(good.values())
    failed = max(len(good) - passed, int(done != 0 and passed == len(good)))
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
