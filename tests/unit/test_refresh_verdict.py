"""The judge of refresh tokens: a pure function of the row, the token and the time."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsvc.grants.refresh_verdict import (
    MAX_REPEATS,
    Judgement,
    Presented,
    Refused,
    Repeat,
    RepeatedTooOften,
    Replayed,
    Rotate,
    judge,
)
from authsvc.sessions import SessionLimits
from authsvc.storage.outage import Outage
from authsvc.storage.sessions import Session, SessionOwner
from tests.fixtures.clock import START

OVERLAP = timedelta(seconds=10)
LIMITS = SessionLimits(idle=timedelta(days=14), absolute=timedelta(days=90))
CURRENT = 5
SESSION = Session(
    id=UUID(int=1),
    account_id=UUID(int=2),
    client_id="its client",
    scope=frozenset({"account"}),
    salt=b"s" * 16,
    server_key_id="key",
    generation=CURRENT,
    rotated_at=START,
    repeats=0,
    access_tokens_issued=CURRENT,
    created_at=START,
    last_used_at=START,
    access_until=START + timedelta(minutes=5),
)
ENABLED, DISABLED = SessionOwner("ada", is_disabled=False), SessionOwner("ada", is_disabled=True)


def judged(
    generation: int,
    *,
    age: timedelta = timedelta(seconds=1),
    overlap: timedelta = OVERLAP,
    owner: SessionOwner = ENABLED,
    client_id: str = "its client",
    is_genuine: bool = True,
    outage: Outage | None = None,
    **changes: Any,
) -> Judgement:
    """The verdict on a token of *generation*, *age* after the row was rotated."""
    return judge(
        SESSION._replace(**changes),
        owner,
        Presented(generation, is_genuine=is_genuine, client_id=client_id),
        now=START + age,
        overlap=overlap,
        outage=outage,
        limits=LIMITS,
    )


def test_the_current_generation_is_rotated_to_the_next() -> None:
    assert judged(CURRENT) == Rotate(CURRENT + 1, is_ahead=False)


@pytest.mark.parametrize("ahead", [1, 2, 1_000])
def test_a_generation_ahead_of_the_row_is_taken_for_the_current_one(ahead: int) -> None:
    assert judged(CURRENT + ahead) == Rotate(CURRENT + ahead + 1, is_ahead=True)


@pytest.mark.parametrize(
    ("overlap", "age", "expected"),
    [
        pytest.param(10, 0, Repeat(), id="at once"),
        pytest.param(10, 9.999999, Repeat(), id="the last moment of the overlap"),
        pytest.param(10, 10, Replayed(), id="the end of the overlap"),
        pytest.param(10, 10.000001, Replayed(), id="after the overlap"),
        pytest.param(60, 59.999999, Repeat(), id="the last moment of the longest overlap"),
        pytest.param(60, 60, Replayed(), id="the end of the longest overlap"),
        pytest.param(0, 0, Replayed(), id="no overlap"),
        pytest.param(10, -0.002, Repeat(), id="this instance's clock is a little behind"),
        pytest.param(0, -0.002, Replayed(), id="no overlap, and the clock is a little behind"),
    ],
)
def test_the_predecessor_is_repeated_inside_the_overlap_only(
    overlap: float, age: float, expected: Judgement
) -> None:
    assert judged(CURRENT - 1, age=timedelta(seconds=age), overlap=timedelta(seconds=overlap)) == expected, (
        f"presented {age} s after the rotation, with an overlap of {overlap} s"
    )


@pytest.mark.parametrize(
    ("lost", "returned", "age", "expected"),
    [
        pytest.param(9.999999, 300, 309.999999, Repeat(), id="open when the database was lost"),
        pytest.param(9.999999, 300, 310, Replayed(), id="one overlap from the return, and no longer"),
        pytest.param(10, 300, 300, Replayed(), id="over when the database was lost"),
        pytest.param(-5, 300, 305, Repeat(), id="rotated by another instance while it was away"),
        pytest.param(2, 3, 12.999999, Repeat(), id="a short outage counts from its return too"),
        pytest.param(-100, -50, 9.999999, Repeat(), id="an outage of before takes nothing away"),
        pytest.param(-100, -50, 10, Replayed(), id="an outage of before adds nothing"),
    ],
)
def test_an_overlap_that_an_outage_cut_short_begins_anew_at_the_return(
    lost: float, returned: float, age: float, expected: Judgement
) -> None:
    outage = Outage(START + timedelta(seconds=lost), START + timedelta(seconds=returned))
    assert judged(CURRENT - 1, age=timedelta(seconds=age), outage=outage) == expected


def test_an_outage_forgives_no_older_generation_and_makes_no_overlap_where_there_is_none() -> None:
    outage = Outage(START, START + timedelta(seconds=5))
    age = timedelta(seconds=5)
    assert judged(CURRENT - 2, age=age, outage=outage) == Replayed()
    assert judged(CURRENT - 1, age=age, outage=outage, overlap=timedelta(0)) == Replayed()


@pytest.mark.parametrize("generation", range(CURRENT - 1))
@pytest.mark.parametrize("age", [0, 9, 10, 86_400])
def test_an_older_generation_is_a_replay_at_any_time(generation: int, age: int) -> None:
    assert judged(generation, age=timedelta(seconds=age)) == Replayed()


@pytest.mark.parametrize("generation", range(CURRENT + 3))
def test_a_token_from_another_client_is_refused_whatever_it_is(generation: int) -> None:
    verdict = judged(generation, age=timedelta(days=100), client_id="another", owner=DISABLED)
    assert verdict == Refused("other client")


@pytest.mark.parametrize("generation", range(CURRENT + 3))
def test_a_forged_token_is_refused_whatever_it_is(generation: int) -> None:
    assert judged(generation, age=timedelta(days=100), is_genuine=False, owner=DISABLED) == Refused("forged")


def test_the_client_is_judged_before_the_mac() -> None:
    assert judged(CURRENT, client_id="another", is_genuine=False) == Refused("other client")


@pytest.mark.parametrize("generation", range(CURRENT + 3))
def test_an_ended_session_gives_nothing_and_cannot_be_replayed(generation: int) -> None:
    verdict = judged(generation, age=timedelta(hours=1), ended_at=START + timedelta(seconds=1))
    assert verdict == Refused("session ended")


def test_a_replay_counts_though_the_account_is_disabled_and_the_session_over() -> None:
    assert judged(CURRENT - 1, age=timedelta(days=100), owner=DISABLED) == Replayed()


@pytest.mark.parametrize("generation", [CURRENT - 1, CURRENT, CURRENT + 1])
def test_a_disabled_account_gets_nothing(generation: int) -> None:
    assert judged(generation, owner=DISABLED) == Refused("account disabled")


@pytest.mark.parametrize(
    ("changes", "age", "is_over"),
    [
        pytest.param({}, timedelta(days=14, seconds=-1), False, id="a second before the idle limit"),
        pytest.param({}, timedelta(days=14, microseconds=-999_999), True, id="less than a second before"),
        pytest.param({}, timedelta(days=14), True, id="the idle limit"),
        pytest.param({}, timedelta(days=15), True, id="after the idle limit"),
        pytest.param(
            {"last_used_at": START + timedelta(days=89)},
            timedelta(days=90, seconds=-1),
            False,
            id="a second before the absolute limit",
        ),
        pytest.param(
            {"last_used_at": START + timedelta(days=89)},
            timedelta(days=90, microseconds=-999_999),
            True,
            id="less than a second before the absolute limit",
        ),
        pytest.param(
            {"last_used_at": START + timedelta(days=89)}, timedelta(days=90), True, id="the absolute limit"
        ),
        pytest.param(
            {"last_used_at": START + timedelta(milliseconds=700)},
            timedelta(days=14, seconds=-1),
            False,
            id="a whole second before a limit that is none",
        ),
        pytest.param(
            {"last_used_at": START + timedelta(milliseconds=700)},
            timedelta(days=14, milliseconds=-300),
            True,
            id="no whole second before a limit that is none",
        ),
    ],
)
def test_a_session_with_less_than_a_whole_second_left_is_over(
    changes: dict[str, Any], age: timedelta, *, is_over: bool
) -> None:
    expected = Refused("session expired") if is_over else Rotate(CURRENT + 1)
    assert judged(CURRENT, age=age, **changes) == expected


@pytest.mark.parametrize("generation", [CURRENT - 1, CURRENT + 2])
def test_the_limits_hold_for_every_generation_that_would_be_good(generation: int) -> None:
    rotated_at = START + timedelta(days=90, seconds=-5)
    verdict = judged(generation, age=timedelta(days=90), rotated_at=rotated_at, last_used_at=rotated_at)
    assert verdict == Refused("session expired")


@pytest.mark.parametrize(
    ("repeats", "age", "expected"),
    [
        pytest.param(MAX_REPEATS - 1, 0, Repeat(), id="the last one"),
        pytest.param(MAX_REPEATS, 0, RepeatedTooOften(retry_after=10), id="one too many"),
        pytest.param(MAX_REPEATS, 2.5, RepeatedTooOften(retry_after=8), id="rounded up"),
        pytest.param(MAX_REPEATS, 9.999999, RepeatedTooOften(retry_after=1), id="never 0"),
        pytest.param(MAX_REPEATS, -0.5, RepeatedTooOften(retry_after=10), id="never over the overlap"),
        pytest.param(MAX_REPEATS + 1, 10, Replayed(), id="after the overlap"),
    ],
)
def test_a_hundred_repeats_of_one_generation_are_enough(
    repeats: int, age: float, expected: Judgement
) -> None:
    assert judged(CURRENT - 1, age=timedelta(seconds=age), repeats=repeats) == expected


def test_repeats_of_the_predecessor_do_not_hold_up_the_successor() -> None:
    assert judged(CURRENT, repeats=MAX_REPEATS + 1) == Rotate(CURRENT + 1)


AGES = st.timedeltas(min_value=timedelta(seconds=-5), max_value=timedelta(days=100))
OVERLAPS = (st.just(0) | st.integers(0, 60)).map(lambda seconds: timedelta(seconds=seconds))
SITUATIONS = st.fixed_dictionaries(
    {
        "generation": st.integers(0, 2 * CURRENT) | st.integers(0, 2**32 - 2),
        # Most of what can happen happens around the end of the overlap.
        "age": st.timedeltas(timedelta(seconds=-1), timedelta(seconds=61)) | AGES,
        "overlap": OVERLAPS,
        "owner": st.sampled_from([ENABLED, DISABLED]),
        "client_id": st.sampled_from(["its client", "another"]),
        "is_genuine": st.booleans(),
        "repeats": st.integers(0, MAX_REPEATS + 1),
        "ended_at": st.none() | st.just(START),
        "last_used_at": AGES.map(lambda age: START + age),
    }
)


@given(SITUATIONS)
def test_only_a_replay_ends_a_session_and_only_of_a_token_proven_old(situation: dict[str, Any]) -> None:
    is_replay = isinstance(judged(**situation), Replayed)

    is_proven = situation["client_id"] == "its client" and situation["is_genuine"]
    is_old = situation["generation"] < CURRENT - 1 or (
        situation["generation"] == CURRENT - 1 and max(situation["age"], timedelta()) >= situation["overlap"]
    )
    assert is_replay is (is_proven and is_old and situation["ended_at"] is None)


@given(SITUATIONS)
def test_tokens_are_given_only_to_the_right_client_of_a_session_that_lives(situation: dict[str, Any]) -> None:
    if isinstance(judged(**situation), Rotate | Repeat):
        assert situation["client_id"] == "its client"
        assert situation["is_genuine"]
        assert situation["ended_at"] is None
        assert situation["owner"] is ENABLED
        end = LIMITS.end_of(created_at=START, last_used_at=situation["last_used_at"])
        assert START + situation["age"] <= end - timedelta(seconds=1)


@given(SITUATIONS)
def test_a_rotation_goes_one_beyond_what_was_presented_and_never_back(situation: dict[str, Any]) -> None:
    verdict = judged(**situation)
    if isinstance(verdict, Rotate):
        assert verdict.generation == situation["generation"] + 1 > CURRENT
        assert verdict.is_ahead is (situation["generation"] > CURRENT)


@given(SITUATIONS)
def test_a_repeat_is_of_the_immediate_predecessor_and_at_most_the_hundredth(
    situation: dict[str, Any],
) -> None:
    if isinstance(judged(**situation), Repeat):
        assert situation["generation"] == CURRENT - 1
        assert max(situation["age"], timedelta()) < situation["overlap"]
        assert situation["repeats"] < MAX_REPEATS


@given(SITUATIONS)
def test_who_is_told_to_come_later_is_told_when_within_the_overlap(situation: dict[str, Any]) -> None:
    verdict = judged(**situation)
    if isinstance(verdict, RepeatedTooOften):
        assert 1 <= verdict.retry_after <= situation["overlap"] // timedelta(seconds=1)
