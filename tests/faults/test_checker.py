"""The checker itself: records made by hand, each with one planted violation, or with none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import Findings, check
from tests.faults.record import Answer, Name, Record, Span

OVERLAP = 10.0
SESSION, ACCESS, REFRESH = "0.1", "access 1", "refresh 1"


class Story:
    """One session of one client, told answer by answer; every answer takes a tenth of a second."""

    def __init__(self, *, opaque: bool = False) -> None:
        self.record = Record("opaque" if opaque else "jwt", OVERLAP)
        self.add("login", 0.0, 200, access=ACCESS, refresh=REFRESH, kid="key 1")

    def add(self, kind: Any, at: float, status: int, **facts: Any) -> "Story":
        told = facts.pop("until", at + 0.1)
        named: dict[str, Any] = {"asker": 0, "instance": "a", "session": SESSION} | facts
        self.record.answers.append(Answer(kind=kind, begun=at, answered=told, status=status, **named))
        return self

    def check(self, at: float, *, live: bool, of: str = ACCESS, **facts: Any) -> "Story":
        return self.add("introspect", at, 200, presented=of, live=live, **facts)

    def refresh(self, at: float, number: int, **facts: Any) -> "Story":
        """Exchange refresh token *number* for the next."""
        issued = {"access": f"access {number + 1}", "refresh": f"refresh {number + 1}"}
        return self.add("refresh", at, 200, presented=f"refresh {number}", **issued | facts)

    def refuse(self, at: float, number: int, **facts: Any) -> "Story":
        refused = {"presented": f"refresh {number}", "error": "invalid_grant"}
        return self.add("refresh", at, 400, **refused | facts)

    def log_out(self, at: float, status: int = 204, **facts: Any) -> "Story":
        more = {"retry_after": "1"} if status == 503 else {}
        return self.add("logout", at, status, presented=ACCESS, **more | facts)

    def span(self, name: Name, since: float, until: float, of: str = "") -> "Story":
        self.record.spans.append(Span(name, since, until, of))
        return self

    def found(self) -> Findings:
        return check(self.record)

    def wrong(self) -> list[str]:
        return [violation.what for violation in self.found().wrong]


Tell = Callable[[Story], Story]

RIGHT: dict[str, Tell] = {
    "a whole life": lambda s: (
        s.check(1, live=True).refresh(2, 1).check(3, live=True, of="access 2").log_out(4).check(5, live=False)
    ),
    "a check under way while the session ends says live": lambda s: s.log_out(4).check(4.05, live=True),
    "or dead": lambda s: s.check(3.95, live=False, until=4.2).log_out(4),
    "a logout without an answer may have ended the session": lambda s: (
        s.log_out(4, 0).span("instance killed", 3, 9, "a").check(6, live=False)
    ),
    "or not": lambda s: s.log_out(4, 503).check(6, live=True),
    "a repeat inside the overlap": lambda s: s.refresh(2, 1).refresh(11, 1, access="another", meant="repeat"),
    "a replay after the overlap is refused and ends the session": lambda s: (
        s.refresh(2, 1).refuse(13, 1, meant="replay").check(14, live=False)
    ),
    "an old generation is refused at once": lambda s: s.refresh(2, 1).refresh(3, 2).refuse(4, 1),
    "an overlap that an outage cut short begins anew after it": lambda s: (
        s.span("database away", 3, 20).refresh(2, 1).refresh(29, 1, access="another")
    ),
    "or one that only its instance saw": lambda s: (
        s.add("login", 3, 503, retry_after="1", session="0.2")
        .refresh(2, 1)
        .refresh(14, 1, access="another", meant="replay")
    ),
    "a refresh whose answer was lost, tried again": lambda s: s.add(
        "refresh", 2, 503, presented=REFRESH, retry_after="1"
    ).refresh(3, 1),
    "an overlap may be over before anybody notices that the database is gone": lambda s: (
        s.span("database away", 11.5, 20).refresh(2, 1).refuse(21, 1)
    ),
    "a 503 in time": lambda s: s.span("database away", 1, 5).add(
        "login", 2, 503, until=3.9, retry_after="1", session="0.2"
    ),
    "P6's second": lambda s: s.span("redis unwritable", 3, 5).log_out(4).check(5, live=True),
    "a token of a withdrawn key is dead": lambda s: (
        s.span("key revoked", 4, 5, "key 1").check(4.5, live=False).check(6, live=False)
    ),
    "an instance that is killed answers nothing": lambda s: s.span("instance killed", 3, 9, "a").add(
        "login", 2.95, 0, until=3.2, session="0.2"
    ),
    "one that is stopped answers nothing new": lambda s: s.span("instance stopped", 3, 9, "a").add(
        "login", 3.1, 0, session="0.2"
    ),
    "nor lets anybody in who was on the way": lambda s: s.span("instance stopped", 3, 9, "a").add(
        "login", 2.9, 0, until=3.5, session="0.2", error="ConnectError"
    ),
    "one token revoked, the session alive": lambda s: (
        s.refresh(2, 1)
        .add("revoke", 3, 200, presented=ACCESS)
        .check(4, live=False)
        .check(4, live=True, of="access 2")
    ),
}

WRONG: dict[str, tuple[str, Tell]] = {
    "a check after a logout says live": (
        "dead token called live",
        lambda s: s.log_out(4).check(4.2, live=True),
    ),
    "at the other instance too": (
        "dead token called live",
        lambda s: s.log_out(4).check(9, live=True, instance="b"),
    ),
    "long after the second that P6 allows": (
        "dead token called live",
        lambda s: s.span("redis unwritable", 3, 5).log_out(4).check(5.3, live=True),
    ),
    "within that second, but Redis was well when the end was answered": (
        "dead token called live",
        lambda s: s.span("redis unwritable", 6, 8).log_out(4).check(4.5, live=True),
    ),
    "after the session was ended by its refresh token": (
        "dead token called live",
        lambda s: s.add("revoke", 4, 200, presented=REFRESH).check(5, live=True),
    ),
    "after a replay was refused": (
        "dead token called live",
        lambda s: s.refresh(2, 1).refuse(13, 1, meant="replay").check(14, live=True),
    ),
    "a revoked token is live, its session too": (
        "dead token called live",
        lambda s: s.add("revoke", 3, 200, presented=ACCESS).check(4, live=True),
    ),
    "a token of a withdrawn key is live": (
        "dead token called live",
        lambda s: s.span("key revoked", 4, 5, "key 1").check(6, live=True),
    ),
    "a live token is called dead": ("live token called dead", lambda s: s.check(1, live=False)),
    "by /verify": (
        "live token called dead",
        lambda s: s.add("verify", 1, 401, presented=ACCESS, live=False),
    ),
    "by /logout": ("live token called dead", lambda s: s.log_out(1, 401)),
    "a token that a withdrawn key signed after the command": (
        "live token called dead",
        lambda s: (
            s.span("key revoked", 1, 2, "key 1")
            .refresh(3, 1, kid="key 1")
            .check(4, live=False, of="access 2")
        ),
    ),
    "a logout that cannot have been committed denied its token all the same": (
        "live token called dead",
        lambda s: s.span("database dead", 3, 8).log_out(4, 503).check(6, live=False),
    ),
    "a session is unknown later": ("honest refresh refused", lambda s: s.refuse(2, 1)),
    "an honest repeat is refused": ("honest refresh refused", lambda s: s.refresh(2, 1).refuse(11, 1)),
    "a retry after an outage is refused": (
        "honest refresh refused",
        lambda s: s.span("database away", 3, 20).refresh(2, 1).refuse(29, 1),
    ),
    "a replay after the overlap is granted": (
        "replay accepted",
        lambda s: s.refresh(2, 1).refresh(13, 1, access="another", meant="replay"),
    ),
    "an old generation is granted": (
        "replay accepted",
        lambda s: s.refresh(2, 1).refresh(3, 2).refresh(4, 1, access="another"),
    ),
    "a retry after an outage that began well before its overlap was over is refused": (
        "honest refresh refused",
        lambda s: s.span("database away", 10.5, 20).refresh(2, 1).refuse(21, 1),
    ),
    "an outage forgives an old overlap": (
        "replay accepted",
        lambda s: s.span("database away", 14, 20).refresh(2, 1).refresh(21, 1, access="another"),
    ),
    "what another instance lost forgives nothing": (
        "replay accepted",
        lambda s: (
            s.add("login", 3, 503, retry_after="1", session="0.2", instance="b")
            .refresh(2, 1)
            .refresh(14, 1, access="another", meant="replay")
        ),
    ),
    "an ended session is refreshed": ("ended session refreshed", lambda s: s.log_out(4).refresh(5, 1)),
    "two parallel refreshes disagree": (
        "split session",
        lambda s: s.refresh(2, 1).refresh(2.05, 1, access="another", refresh="another"),
    ),
    "an error of the server": ("unexpected status", lambda s: s.add("login", 2, 500, session="0.2")),
    "the caller is unknown": ("unexpected status", lambda s: s.add("introspect", 2, 401, presented=ACCESS)),
    "another refusal than invalid_grant": (
        "unexpected refusal",
        lambda s: s.refuse(2, 1, error="invalid_client"),
    ),
    "a 503 without Retry-After": ("503 without Retry-After", lambda s: s.add("login", 2, 503)),
    "a 503 after more than 2 s for the sake of a store": (
        "late 503",
        lambda s: s.span("database away", 1, 3).add("login", 2, 503, until=4.1, retry_after="1"),
    ),
    "a 503 to a check while a store has the evidence": (
        "needless 503",
        lambda s: s.span("jwt checks answered", 1, 9).add(
            "verify", 2, 503, presented=ACCESS, retry_after="1"
        ),
    ),
    "no answer from an instance that runs": ("no answer", lambda s: s.add("login", 2, 0, until=12)),
    "an accepted request is not finished at SIGTERM": (
        "no answer",
        lambda s: s.span("instance stopped", 3, 9, "a").add(
            "login", 2.9, 0, until=3.5, error="RemoteProtocolError"
        ),
    ),
}


@pytest.mark.parametrize("tell", [pytest.param(tell, id=name) for name, tell in RIGHT.items()])
def test_a_record_in_which_every_promise_was_kept_is_found_clean(tell: Tell) -> None:
    assert tell(Story()).found() == Findings()


@pytest.mark.parametrize(
    ("what", "tell"), [pytest.param(what, tell, id=name) for name, (what, tell) in WRONG.items()]
)
def test_one_broken_promise_is_found_once_and_nothing_else_is(what: str, tell: Tell) -> None:
    assert tell(Story()).wrong() == [what]


def test_an_opaque_token_has_no_second_to_spare() -> None:
    story = Story(opaque=True).span("redis unwritable", 3, 5).log_out(4).check(4.5, live=True)

    assert story.wrong() == ["dead token called live"]


def test_an_opaque_check_may_be_unavailable_without_postgres() -> None:
    story = Story(opaque=True).span("jwt checks answered", 1, 9)

    assert story.add("verify", 2, 503, presented=ACCESS, retry_after="1").wrong() == []


def test_a_complaint_is_wrong_by_itself() -> None:
    story = Story()
    story.record.complaints.append("SIGTERM: instance a ended with exit status 1")

    assert story.wrong() == ["complaint"]


@pytest.mark.parametrize(
    "tell",
    [
        pytest.param(lambda s: s.log_out(4).check(9, live=True), id="an end is forgotten"),
        pytest.param(
            lambda s: s.refresh(4, 1).check(9, live=False, of="access 2"), id="a token is forgotten"
        ),
        pytest.param(
            lambda s: s.refresh(4, 1).refresh(5, 2).refresh(9, 1, access="another", meant="replay"),
            id="a rotation is forgotten",
        ),
    ],
)
def test_what_was_written_between_a_backup_and_its_restore_is_counted_apart(tell: Tell) -> None:
    assert tell(Story()).wrong() != []

    found = tell(Story().span("lost writes", 3, 8)).found()

    assert (found.wrong, found.apart) == ([], 1)


@pytest.mark.parametrize(
    "tell",
    [
        pytest.param(lambda s: s.log_out(1).check(9, live=True), id="an end before the backup"),
        pytest.param(lambda s: s.log_out(8.5).check(9, live=True), id="an end after the restore"),
        pytest.param(lambda s: s.refuse(9, 1), id="a session from before the backup"),
        pytest.param(lambda s: s.add("login", 5, 503, session="0.2"), id="a 503 without Retry-After"),
    ],
)
def test_a_restore_excuses_nothing_else(tell: Tell) -> None:
    found = tell(Story().span("lost writes", 3, 8)).found()

    assert (len(found.wrong), found.apart) == (1, 0)


def test_the_evidence_names_the_token_the_times_and_the_end() -> None:
    (violation,) = Story().log_out(4).check(5, live=True, instance="b").found().wrong

    assert str(violation) == (
        "dead token called live: introspect of access 1 (session 0.1) at b, 5.000 to 5.100, 200; "
        "ended by logout at a, 204 at 4.100, 0.900 s before"
    )


def test_a_record_that_was_kept_reads_as_it_was(tmp_path: Path) -> None:
    story = Story().refresh(2, 1).span("lost writes", 3, 8)
    story.record.complaints.append("a complaint")

    story.record.write(tmp_path / "record.jsonl")

    assert Record.read(tmp_path / "record.jsonl") == story.record
