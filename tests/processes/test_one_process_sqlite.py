"""The embedded default, `authsvc dev`: one process on SQLite keeps the promises of refresh as well."""

from pathlib import Path

import httpx
import pytest

from tests.fixtures.crowd import Crowd
from tests.fixtures.installation import Installation

REFRESHES = 50
# Some ten times as long as the refreshes take: a slow machine must not make the last of them a replay.
OVERLAP_SECONDS = 4
CALLER = httpx.BasicAuth("demo-service", "demo-service-secret")


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_parallel_refreshes_agree_and_after_the_overlap_the_old_token_ends_the_session(
    tmp_path: Path, token_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dev = Installation({}, tmp_path).having(
        TOKEN_FORMAT=token_format, REFRESH_OVERLAP_SECONDS=str(OVERLAP_SECONDS)
    )
    url = f"sqlite+aiosqlite:///{tmp_path}/.authsvc/authsvc.db"
    try:
        crowd = Crowd([dev.start("dev").wait_until_serving()], url, CALLER, username="demo")

        outcome = crowd.refresh_in_parallel(REFRESHES)
        with capsys.disabled():
            print(f"\n{token_format} on SQLite: {outcome}")

        outcome.check(REFRESHES, issues_jwt=token_format == "jwt")
        refused = crowd.present_until_refused(outcome.presented)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert crowd.live(outcome.access_tokens) == [False] * REFRESHES
    finally:
        dev.stop()
