"""The disk of an embedded database is full: a small file system in memory, filled by somebody else."""

import subprocess
from pathlib import Path

from law import Follower, check_files, verify
from load import Load
from world import Server, Stage, wait_until

SIZE_MIB = 24


def full(stage: Stage) -> None:
    disk = stage.folder / "disk"
    disk.mkdir()
    # In a mount namespace of this process (see __main__.py), with which it goes.
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", disk], check=True)
    stage.cleanup.callback(subprocess.run, ["umount", "--lazy", disk])
    server = Server(stage, name="disk/data").start()
    access = server.create_directory("full")
    load = Load(stage, [server], access)
    follower = Follower(stage, [server])
    load.start()
    for _ in range(10 if stage.long else 2):
        load.await_progress(30, "the service works")
        filler = disk / "filler"
        fill(filler)
        refused = [writer.refused for writer in load.writers]
        wait_until(lambda: all_more(load, refused), 60, "writes are refused")
        stage.show("writes are refused with 503 and Retry-After")
        read = load.reader.answered
        wait_until(lambda: load.reader.answered > read + 5, 30, "reads go on")
        stage.show("reads go on")
        load.run_for(1)
        check_files(stage, server.data)
        filler.unlink()
        load.await_progress(60, "writes go on when there is room")
        stage.show("writes go on without a restart when there is room")
    load.stop()
    stage.demand(server.process.poll() is None, "the server lives")
    check_files(stage, server.data)
    verify(stage, load, follower, [server])
    server.stop()
    check_files(stage, server.data)
    stage.show("the database is sound")


def all_more(load: Load, refused: list[int]) -> bool:
    load.check()
    return all(writer.refused > before for writer, before in zip(load.writers, refused, strict=True))


def fill(path: Path) -> None:
    """Takes all the room that there is."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"\xff" * size)
            except OSError:
                pass  # no space left, which is what this is for
