"""`authsvc serve --workers 2` on Postgres and Redis: one port, two processes, and none left behind."""

import os

from tests.fixtures.crowd import Crowd
from tests.fixtures.installation import Installer


def test_two_workers_serve_one_port_and_go_with_their_parent(installer: Installer) -> None:
    with installer.installed("postgres") as made:
        server = made.start("serve", "--workers", "2")
        crowd = Crowd.around(made, [server])
        access_token = crowd.login(server)["access_token"]

        assert crowd.live([access_token] * 50) == [True] * 50
        workers = server.wait_for_workers(2)
        assert server.pid not in workers
        assert server.stop() == 0
        assert [pid for pid in workers if _exists(pid)] == []


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
