"""`authsvc serve --workers 2`: whichever worker answers /metrics tells the counts of both."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.installation import Installation, Installer
from tests.fixtures.process import ServerProcess
from tests.fixtures.service import PASSWORD, USERNAME

REQUESTS = 60
LOGINS = 6


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the servers of the test keep what is temporary."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def installation(
    installer: Installer, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with installer.installed("postgres") as made:
        made.add_account()
        yield made


def started(installation: Installation) -> ServerProcess:
    server = installation.start("serve", "--workers", "2").wait_until_serving()
    server.wait_for_workers(2)
    return server


def ask(server: ServerProcess, method: str, path: str, **form: str) -> httpx.Response:
    """Send one request on a connection of its own, which either worker may take."""
    return httpx.request(method, server.url + path, data=form or None, trust_env=False)


def value(text: str, line: str) -> float:
    """The one value of a line; a line for each process would be an error."""
    [found] = re.findall(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found)


def counted_by(folder: Path, route: str) -> set[int]:
    """The processes that have counted requests for a route."""
    files = [path for path in folder.glob("histogram_*.db") if f'"{route}"'.encode() in path.read_bytes()]
    return {int(path.stem.rpartition("_")[2]) for path in files}


def test_the_counts_of_both_workers_are_summed_right_after_the_requests(
    installation: Installation, temporary: Path
) -> None:
    server = started(installation)
    [folder] = temporary.glob("authsvc-metrics-*")

    form = {"username": USERNAME, "password": PASSWORD}
    assert [ask(server, "POST", "/login", **form).status_code for _ in range(LOGINS)] == [200] * LOGINS
    asked = 0
    while asked < REQUESTS or counted_by(folder, "/me") != server.serving_pids:
        assert ask(server, "GET", "/me").status_code == 401
        asked += 1
        assert asked < 100 * REQUESTS, "one worker has taken every connection"
    told = [ask(server, "GET", "/metrics").text for _ in range(8)]

    counts = 'authsvc_request_seconds_count{method="GET",route="/me",status="401"}'
    assert [value(text, counts) for text in told] == [asked] * 8
    assert [value(text, 'authsvc_events_total{event="login_succeeded"}') for text in told] == [LOGINS] * 8
    # That by which each worker loads the library is nobody's, and not counted.
    assert value(told[-1], "authsvc_password_hash_seconds_count") == LOGINS


def test_the_folder_that_the_workers_count_in_is_gone_after_sigterm(
    installation: Installation, temporary: Path
) -> None:
    server = started(installation)
    assert len(list(temporary.glob("authsvc-metrics-*"))) == 1

    assert server.stop() == 0

    assert list(temporary.glob("authsvc-*")) == []
