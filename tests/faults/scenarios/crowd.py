"""Five thousand connections that do nothing and five hundred that send a byte a second, while others want to work."""

import resource
import socket
import threading
from contextlib import suppress

from law import Follower, verify
from load import Load
from world import Access, Broken, Server, Stage

IDLE = 5_000
SLOW = 500
MOST_MEMORY_MIB = 300


def idle_and_slow(stage: Stage) -> None:
    make_room(IDLE + SLOW + 500)
    server = Server(stage).start()
    access = server.create_directory("crowd")
    load = Load(stage, [server], access, pause=0.01)
    follower = Follower(stage, [server])
    load.start()
    crowd = Crowd(server, access)
    stage.cleanup.callback(crowd.leave)
    crowd.come()
    load.await_progress(30, "a client works as ever")
    stage.show(f"a client works while {IDLE} connections do nothing and {SLOW} are slow")
    # In the long form until the server has lost its patience with them.
    load.run_for(100 if stage.long else 10)
    load.await_progress(30, "a client works as ever")
    stage.show("and goes on working")
    memory = server.memory_mib()
    stage.demand(memory < MOST_MEMORY_MIB, f"the server stays under {MOST_MEMORY_MIB} MiB", memory)
    crowd.leave()
    load.await_progress(30, "a client works as ever")
    load.stop()
    verify(stage, load, follower, [server])


def make_room(files: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < files:
        raise Broken(f"{files} open files are needed for so many connections, and the limit is {most} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Crowd:
    def __init__(self, server: Server, access: Access):
        host, port = server.address.split(":")
        self.address = (host, int(port))
        head = (
            f"POST {access.base}/Users HTTP/1.1",
            f"Host: {server.address}",
            f"Authorization: Bearer {access.token}",
            "Content-Type: application/scim+json",
            "Content-Length: 1000",
        )
        self.head = "".join(f"{line}\r\n" for line in head).encode()
        self.idle: list[socket.socket] = []
        self.slow: list[tuple[socket.socket, bytes]] = []
        self.leaving = threading.Event()

    def come(self) -> None:
        for _ in range(IDLE):
            self.idle.append(self.connect())
        for number in range(SLOW):
            # Half of them are slow already in saying what they want.
            begun, rest = (self.head + b"\r\n", b"{" + b" " * 998) if number % 2 else (b"", self.head)
            one = self.connect()
            one.sendall(begun)
            self.slow.append((one, rest))
        threading.Thread(target=self.dawdle, daemon=True).start()

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=60)

    def dawdle(self) -> None:
        place = 0
        while not self.leaving.wait(1):
            for one, rest in self.slow:
                with suppress(OSError):  # the server has lost its patience
                    one.send(rest[place : place + 1])
            place += 1

    def leave(self) -> None:
        self.leaving.set()
        for one in [*self.idle, *(one for one, _ in self.slow)]:
            one.close()
