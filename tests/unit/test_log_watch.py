"""The watch over the suite's logs notices what it is there for."""

import logging
from pathlib import Path

import httpx
import pytest

from authsvc.logs import configure_logs
from tests.fixtures.command import same_logs
from tests.fixtures.log_watch import WATCH, LogWatch
from tests.fixtures.process import ServerProcess
from tests.fixtures.service import PASSWORD, Service

BASIC = {"Authorization": "Basic eDpodW50ZXIyIGh1bnRlcjI="}
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXRoaW5nIGVsc2U$" + "A" * 43


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("asvc_at_" + "A" * 54, id="an opaque token"),
        pytest.param("asvc_rt_" + "A" * 80, id="a refresh token"),
        pytest.param(f"eyJ{'h' * 40}.eyJ{'i' * 90}.{'s' * 86}", id="a JWT"),
        pytest.param(HASH, id="a stored hash"),
        pytest.param("-----BEGIN PRIVATE KEY-----", id="a key"),
    ],
)
def test_what_is_known_by_its_shape_is_noticed(secret: str) -> None:
    watch = LogWatch()
    watch.hear(f"something {secret} something")

    assert len(watch.leaks()) == 1
    assert watch.leaks() == []


@pytest.mark.parametrize(
    "request_",
    [
        httpx.Request("POST", "http://test/login", data={"username": "ada", "password": "hunter2 hunter2"}),
        httpx.Request("POST", "http://test/password", data={"new_password": "hunter2 hunter2"}),
        httpx.Request("POST", "http://test/token", headers=BASIC),
    ],
    ids=["a login", "a new password", "a client's secret"],
)
def test_what_was_sent_as_a_secret_is_noticed(request_: httpx.Request) -> None:
    watch = LogWatch()
    watch.learn_from(request_)
    watch.hear("a line about hunter2 hunter2")

    assert len(watch.leaks()) == 1


def test_what_a_server_writes_is_noticed_once(tmp_path: Path) -> None:
    log = tmp_path / "stderr"
    watch = LogWatch()
    log.write_text(f"{HASH}\n")

    # Not for longer, or the suite's own watch would read it too.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServerProcess, "logs", [log, tmp_path / "gone"])
        first, again = watch.leaks(), watch.leaks()
        with log.open("a") as file:
            file.write("asvc_at_" + "A" * 54)
        later = watch.leaks()

    assert (len(first), again, len(later)) == (1, [], 1)


async def test_the_watch_of_the_suite_hears_and_learns(service: Service) -> None:
    before = WATCH.read_so_far
    await service.post("/login", username="nobody", password="a password of this test alone")

    assert "a password of this test alone" in WATCH.secrets
    assert WATCH.leaks() == []
    assert WATCH.read_so_far > before


def test_the_watch_of_the_suite_fails_a_test_that_logs_a_secret() -> None:
    WATCH.learn(PASSWORD)
    with same_logs():
        configure_logs("console", "debug")
        logging.getLogger("authsvc").debug("it is %s", PASSWORD)

    assert len(WATCH.leaks()) >= 1
