#!/usr/bin/env python3
"""Makes happen to a server what may happen to one, and shows that nothing acknowledged is lost and nothing half-done.

Each scenario (scenarios/) runs in a process of its own, several at a time: most of the time they wait. What must hold
in every one of them is in law.py.

Usage: faults PROGRAM [SCENARIO…] [--long] [--seed N]

Ends with the line "N passed, N failed"; exits 0 only when something passed and nothing failed.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scenarios import ALL, LONG
from world import Stage

AT_ONCE = 4
SHORT_LIMIT_SECONDS = 400
LONG_LIMIT_SECONDS = 3600
# Of each server's log, when a scenario has failed.
TAIL_LINES = 25


def main() -> int:
    arguments = read_arguments()
    # So that what was started is stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if arguments.alone:
        return play(arguments)
    names = arguments.scenarios or [*(LONG if arguments.long else ()), *ALL]
    print(f"seed {arguments.seed}", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = [*pool.map(lambda name: run(arguments, name), names)]
    passed, failed = (sum(column) for column in zip(*counts, strict=True))
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the program portreeve", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"one of: {', '.join([*ALL, *LONG])}")
    parser.add_argument("--long", action="store_true", help="more of everything, and faults at random")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_intermixed_args()
    for name in arguments.scenarios:
        if name not in ALL and name not in LONG:
            parser.error(f"there is no scenario {name}")
    return arguments


printing = threading.Lock()


def run(arguments: argparse.Namespace, name: str) -> tuple[int, int]:
    """Plays a scenario in a process of its own: passed, failed."""
    words = [arguments.program, name, "--alone", "--seed", str(arguments.seed), *(["--long"] if arguments.long else [])]
    place, cannot = namespace() if name == "disk-full" else ([], None)
    if cannot:
        must = bool(os.environ.get("CI"))
        with printing:
            print(f"{'FAIL' if must else 'left out'} {name}: {cannot}", flush=True)
        return 0, int(must)
    begun = time.monotonic()
    process = subprocess.Popen(
        [*place, sys.executable, Path(__file__).parent, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=LONG_LIMIT_SECONDS if arguments.long else SHORT_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        said = f"{process.communicate()[0]}\nit took too long and was ended"
    passed, failed = re.findall(r"^ok  ", said, re.MULTILINE), process.returncode != 0
    with printing:
        print(f"{'FAIL' if failed else 'ok  '} {name} ({time.monotonic() - begun:.0f} s)", flush=True)
        print("".join(f"     {line}\n" for line in said.splitlines()), end="", flush=True)
    return len(passed), int(failed)


def namespace() -> tuple[list[str], str | None]:
    """How to run something that mounts a file system of its own, which goes with it."""
    # Trying is the only way to know; a namespace alone does not say that one may mount.
    attempt = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    for words in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if shutil.which("unshare") and not subprocess.run([*words, *attempt], capture_output=True).returncode:
            return words, None
    return [], "it needs a file system of its own, which only root, or who may make namespaces (unshare), can mount"


def play(arguments: argparse.Namespace) -> int:
    [name] = arguments.scenarios
    chance = random.Random(f"{arguments.seed} {name}")
    # Short, because the path of a Unix socket must be.
    folder = Path(tempfile.mkdtemp(prefix="prv-"))
    stage = Stage(arguments.program, folder, chance, arguments.long)
    try:
        (ALL | LONG)[name](stage)
        return 0
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print(f"again with: --seed {arguments.seed} {name}")
        for log in sorted(folder.glob("**/*.log")):
            lines = log.read_text(errors="replace").splitlines()
            print("\n".join([f"--- {log.name}", *lines[-TAIL_LINES:]]))
        return 1
    finally:
        stage.cleanup.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
