#!/usr/bin/env python3
"""Runs every check of scim2-tester against one SCIM base URL and demands that each succeeds.

The checks that scim2-tester skips count as failures too: it skips what a ServiceProviderConfig says is
unsupported, so a server could otherwise pass by announcing less.

Usage: SCIM_TOKEN=... scim_tester.py BASE_URL [--trace FILE]

Ends with the line "N passed, N failed"; exits 0 only when something passed and nothing failed.
"""

import argparse
import os
import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="the tenant URL")
    parser.add_argument("--trace", metavar="FILE", help="write every request and answer to FILE")
    arguments = parser.parse_args()

    http = httpx2.Client(
        base_url=arguments.url,
        headers={"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"},
        timeout=30,
        trust_env=False,
        event_hooks=tracing(arguments.trace),
    )
    with http:
        results = check_server(SyncSCIMClient(http))

    failed = [result for result in results if result.status not in GOOD]
    for result in failed:
        where = f" ({result.resource_type})" if result.resource_type else ""
        print(f"{result.status.name} {result.title}{where}: {result.reason}", file=sys.stderr)
        if result.data is not None:
            print(f"    {result.data!r}"[:2000], file=sys.stderr)
    passed = len(results) - len(failed)
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


def tracing(path: str | None) -> dict[str, list]:
    """Hooks that append each exchange to the file, bodies included, credentials left out."""
    if path is None:
        return {}
    log = open(path, "w", encoding="utf-8")

    def note(response: httpx2.Response) -> None:
        response.read()
        request = response.request
        print(request.method, request.url, request.headers.get("if-match", ""), file=log)
        print(">", request.content.decode(errors="replace"), file=log)
        print("<", response.status_code, response.headers.get("content-type", "-"), response.text, file=log, flush=True)

    return {"response": [note]}


if __name__ == "__main__":
    sys.exit(main())
