"""Two `authsvc serve` share one Postgres and one Redis, and nothing else: what one did, the other knows."""

from collections.abc import Iterator

import pytest

from tests.fixtures.crowd import Crowd
from tests.fixtures.installation import Installer
from tests.fixtures.service import USERNAME

CHECKS = 500
REFRESHES = 50
# Some ten times as long as the refreshes take: a slow machine must not make the last of them a replay.
OVERLAP_SECONDS = 4


@pytest.fixture(scope="module", params=["jwt", "opaque"])
def token_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def two(token_format: str, installer: Installer) -> Iterator[Crowd]:
    overlap = str(OVERLAP_SECONDS)
    with installer.installed("postgres", TOKEN_FORMAT=token_format, REFRESH_OVERLAP_SECONDS=overlap) as made:
        yield Crowd.around(made, [made.start("serve"), made.start("serve")])


def test_they_are_two_processes(two: Crowd, token_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = two.servers

    assert one.serving_pids == {one.pid}
    assert other.serving_pids == {other.pid}
    assert one.pid != other.pid
    with capsys.disabled():
        print(f"\n{token_format}: two instances, pids {one.pid} and {other.pid}")


def test_a_token_issued_at_one_is_live_at_the_other(two: Crowd) -> None:
    one, other = two.servers

    described = two.introspect(other, two.login(one)["access_token"])

    assert (described["active"], described["username"]) == (True, USERNAME)
    assert described["iss"] == "http://127.0.0.1:8000"


def test_no_check_at_the_other_says_live_after_a_logout_was_answered(
    two: Crowd, token_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = two.servers
    access_token = two.login(one)["access_token"]
    assert two.introspect(other, access_token)["active"] is True

    logged_out = one.http.post("/logout", headers={"Authorization": f"Bearer {access_token}"})
    answers = two.at(other).live([access_token] * CHECKS)

    assert logged_out.status_code == 204
    assert answers.count(True) == 0
    with capsys.disabled():
        print(f"\n{token_format}: after the logout {answers.count(False)} of {CHECKS} checks say inactive")


def test_parallel_refreshes_at_both_agree_and_after_the_overlap_the_old_token_ends_the_session(
    two: Crowd, token_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = two.refresh_in_parallel(REFRESHES)
    with capsys.disabled():
        print(f"\n{token_format}: {outcome}")

    outcome.check(REFRESHES, issues_jwt=token_format == "jwt")
    refused = two.present_until_refused(outcome.presented)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert two.live(outcome.access_tokens) == [False] * REFRESHES
    assert two.refresh(outcome.successors[0]).json()["error"] == "invalid_grant"
