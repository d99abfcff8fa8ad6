"""The server is killed (SIGKILL) at random moments while it is written to, and started again."""

from database import Postgres
from law import Follower, check_files, verify
from load import Load
from world import Server, Stage


def embedded(stage: Stage) -> None:
    server = Server(stage).start()
    live_and_die(stage, server, 200 if stage.long else 20, lambda: check_files(stage, server.data))


def postgres(stage: Stage) -> None:
    database = Postgres(stage)
    server = Server(stage, database=database.url()).start()
    live_and_die(stage, server, 80 if stage.long else 8, lambda: None)


def live_and_die(stage: Stage, server: Server, kills: int, check_remains) -> None:
    access = server.create_directory("killed")
    load = Load(stage, [server], access, pause=0)
    for _ in range(kills):
        follower = Follower(stage, [server])
        load.start()
        load.run_for(stage.chance.uniform(0.02, 1.0))
        server.kill()
        load.stop()
        check_remains()
        server.start()
        verify(stage, load, follower, [server])
    server.stop()
    check_remains()
    stage.show("it ends well on SIGTERM")
