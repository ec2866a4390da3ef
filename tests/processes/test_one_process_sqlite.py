"""The embedded default: `authsvc dev`, one process on SQLite, keeps the promises of refresh as well."""

from pathlib import Path

import httpx
import pytest

from tests.fixtures.crowd import Crowd
from tests.fixtures.installation import Installation
from tests.fixtures.service import PASSWORD, USERNAME

REFRESHES = 50
OVERLAP_SECONDS = 4


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_parallel_refreshes_agree_and_after_the_overlap_the_old_token_ends_the_session(
    tmp_path: Path, token_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    crowd = Crowd.around(embedded(tmp_path, token_format), [])
