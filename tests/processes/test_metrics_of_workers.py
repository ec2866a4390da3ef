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


def answered_by_a_new_connection(
    server: ServerProcess, method: str, path: str, **form: str
) -> httpx.Response:
    """Ask so that either worker may take it: a connection belongs to one."""
    return httpx.request(method, server.url + path, data=form or None, trust_env=False)


def value(text: str, line: str) -> float:
    """The one value of a line; a line for each process would be an error."""
    [found] = re.findall(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found)


def test_the_counts_of_both_workers_are_summed_right_after_the_requests(
    installation: Installation, temporary: Path
) -> None:
    server = installation.start("serve", "--workers", "2")
    workers = server.wait_for_workers(2)

    for _ in range(LOGINS):
        form = {"username": USERNAME, "password": PASSWORD}
        assert answered_by_a_new_connection(server, "POST", "/login", **form).status_code == 200
    for _ in range(REQUESTS):
        assert answered_by_a_new_connection(server, "GET", "/me").status_code == 401
    told = [answered_by_a_new_connection(server, "GET", "/metrics").text for _ in range(8)]

    counts = 'authsvc_request_seconds_count{method="GET",route="/me",status="401"}'
    assert [value(text, counts) for text in told] == [REQUESTS] * 8
    assert [value(text, 'authsvc_events_total{event="login_succeeded"}') for text in told] == [LOGINS] * 8
    # Each worker warms its hasher up at start.
    assert value(told[-1], "authsvc_password_hash_seconds_count") >= LOGINS
    [folder] = temporary.glob("authsvc-metrics-*")
    counted_by = {int(pid) for path in folder.iterdir() for pid in re.findall(r"_(\d+)\.db", path.name)}
    assert counted_by >= workers
    assert server.stop() == 0


def test_the_folder_that_the_workers_count_in_is_gone_after_sigterm(
    installation: Installation, temporary: Path
) -> None:
    server = installation.start("serve", "--workers", "2")
    server.wait_for_workers(2)
    assert len(list(temporary.glob("authsvc-metrics-*"))) == 1

    assert server.stop() == 0

    assert list(temporary.iterdir()) == []


def test_counts_begin_anew_with_the_server(installation: Installation) -> None:
    first = installation.start("serve", "--workers", "2")
    first.wait_for_workers(2)
    assert answered_by_a_new_connection(first, "GET", "/me").status_code == 401
    assert first.stop() == 0

    second = installation.start("serve", "--workers", "2")
    second.wait_for_workers(2)

    assert 'route="/me"' not in answered_by_a_new_connection(second, "GET", "/metrics").text
    assert second.stop() == 0
