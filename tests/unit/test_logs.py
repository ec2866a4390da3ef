"""Where lines of the log go: ours past `logging`, as those of libraries would."""

import io
import json
import logging

import pytest
import structlog

from authsvc import audit
from authsvc.logs import configure_logs
from tests.fixtures.command import same_logs
from tests.fixtures.logs import written


class Full(io.StringIO):
    """Takes nothing, like a disk that is full."""

    def write(self, _text: str) -> int:
        raise OSError("no space left")


def test_a_line_of_ours_is_one_of_the_library_but_for_its_logger() -> None:
    with written() as log:
        structlog.stdlib.get_logger("authsvc.audit").warning("said")
        logging.getLogger("uvicorn").warning("said")

    ours, theirs = (json.loads(line) for line in log.text.splitlines())
    assert (ours.pop("logger"), theirs.pop("logger")) == ("authsvc.audit", "uvicorn")
    assert ours.pop("timestamp") <= theirs.pop("timestamp")
    assert ours == theirs == {"event": "said", "level": "warning"}


def test_the_level_of_the_library_is_that_of_our_lines() -> None:
    with written(level="warning") as log:
        logger = structlog.stdlib.get_logger("authsvc.of_this_test")
        logger.info("unheard")
        logger.warning("said")

    assert [line["event"] for line in log.events("unheard", "said")] == ["said"]


def test_a_log_that_takes_no_line_harms_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with same_logs():
        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr", Full())
            configure_logs("json", "info")
        audit.record("login_failed")

    assert "no space left" in capsys.readouterr().err
