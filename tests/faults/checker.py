"""Read a whole record against the promises and say what broke them, each with its evidence.

Wrong is:
(a) a check begun after an end was answered that says live; allowed is P6's stated second, for a JWT whose
    end was answered while Redis could not be written or its primary had just changed;
(b) a check that says dead of a token that nothing ended (no token of the load grows old enough to expire);
(c) an honest refresh refused; and the opposite: a replay accepted, or an ended session refreshed;
(d) a 5xx but a 503 with `Retry-After`; while a store is away, one that came after more than 2 s, from
    before the request was sent to after the answer was read, without any allowance (the full queues of a
    busy machine have limits of their own); no answer from an instance that ran; any other status that
    cannot have been earned;
(e) a login or a refresh that was answered and whose tokens are unknown later (found as b and c);
(f) a refresh token with two different successors;
(g) a 503 for a check while a store with the evidence was there.
What concerns writes that a restore took back is counted apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.history import End, History
from tests.faults.record import CHECKS, Answer, Record

# What a store that lost writes cannot know; no restore excuses a late answer.
OF_KNOWLEDGE = {
    "dead token called live",
    "live token called dead",
    "ended session refreshed",
    "replay accepted",
    "honest refresh refused",
}
UNAVAILABLE_SECONDS = 2.0
ALLOWED_SECONDS = 1.0
EXPECTED = {
    "login": {200},
    "refresh": {200, 400},
    "introspect": {200},
    "verify": {200, 401},
    "logout": {204, 401},
    "revoke": {200},
}


@dataclass(frozen=True)
class Violation:
    """One answer that breaks a promise, or something else that was complained of."""

    what: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.what}: {self.evidence}"


@dataclass
class Findings:
    """What a record holds against the service; *apart* counts what a restore excuses."""

    wrong: list[Violation] = field(default_factory=list)
    apart: int = 0


def check(record: Record) -> Findings:
    """Judge every answer of *record*."""
    history, findings = History(record), Findings()
    findings.wrong += [Violation("complaint", words) for words in record.complaints]
    for answer in record.answers:
        for what, why in _problems(history, answer):
            if what in OF_KNOWLEDGE and _is_of_lost_writes(history, answer):
                findings.apart += 1
            else:
                findings.wrong.append(Violation(what, f"{_words(answer)}; {why}"))
    return findings


def _problems(history: History, answer: Answer) -> Iterator[tuple[str, str]]:
    if answer.status == 0:
        if not _is_excused_silence(history.record, answer):
            yield "no answer", "the instance was running"
    elif answer.status == 503:
        yield from _unavailable(history.record, answer)
    elif answer.status not in EXPECTED[answer.kind]:
        yield "unexpected status", f"only {sorted(EXPECTED[answer.kind])} and 503 can be earned"
    elif answer.kind == "refresh":
        yield from _refreshed(history, answer)
    elif answer.live is True:
        yield from _called_live(history, answer)
    elif answer.live is False or answer.status == 401:
        yield from _called_dead(history, answer)


def _is_excused_silence(record: Record, answer: Answer) -> bool:
    for span in record.spans:
        if span.of != answer.instance or not span.meets(answer.begun, answer.answered):
            continue
        # What was let in before SIGTERM is to be finished (P13); SIGKILL finishes nothing.
        was_not_let_in = answer.begun >= span.since or answer.error == "ConnectError"
        if span.name == "instance killed" or (span.name == "instance stopped" and was_not_let_in):
            return True
    return False


def _unavailable(record: Record, answer: Answer) -> Iterator[tuple[str, str]]:
    if not answer.retry_after.isdigit():
        yield "503 without Retry-After", f"it was {answer.retry_after!r}"
    took = answer.answered - answer.begun
    away = record.named("database away") + record.named("redis unwritable")
    if took > UNAVAILABLE_SECONDS and any(span.meets(answer.begun, answer.answered) for span in away):
        yield "late 503", f"it took {took:.2f} s"
    promised = record.named("checks answered")
    if record.token_format == "jwt":
        promised += record.named("jwt checks answered")
    if answer.kind in CHECKS and any(s.holds(answer.begun) and s.holds(answer.answered) for s in promised):
        yield "needless 503", "a store with the evidence was there"


def _called_live(history: History, answer: Answer) -> Iterator[tuple[str, str]]:
    for end in history.ends_of_token(answer.presented):
        if end.precedes(answer.begun) and not _is_allowed(history.record, end, answer):
            yield "dead token called live", f"{_ended(end)}, {answer.begun - (end.told or 0):.3f} s before"
            return


def _is_allowed(record: Record, end: End, answer: Answer) -> bool:
    if record.token_format != "jwt" or end.told is None or answer.begun > end.told + ALLOWED_SECONDS:
        return False
    return any(span.holds(end.told) for span in record.named("redis unwritable"))


def _called_dead(history: History, answer: Answer) -> Iterator[tuple[str, str]]:
    ends = history.ends_of_token(answer.presented) or history.ends_of_session(answer.session)
    if any(end.may_precede(answer.answered) for end in ends):
        return
    issue = history.issues.get(answer.presented)
    yield "live token called dead", f"issued {_words(issue)}" if issue else "a refresh token nothing ended"


def _refreshed(history: History, answer: Answer) -> Iterator[tuple[str, str]]:
    ends = history.ends_of_session(answer.session)
    if answer.status == 200:
        if ended := [end for end in ends if end.precedes(answer.begun)]:
            yield "ended session refreshed", _ended(ended[0])
        if history.is_replay(answer):
            yield "replay accepted", "its overlap was over, or its successor was exchanged already"
        if history.successors[answer.presented] != answer.refresh:
            yield "split session", f"the other successor is {history.successors[answer.presented]}"
    elif answer.error != "invalid_grant":
        yield "unexpected refusal", answer.error
    elif not history.may_be_replay(answer) and not any(
        end.may_precede(answer.answered) for end in ends if end.begun != answer.begun
    ):
        yield "honest refresh refused", "nothing ended the session, and the token was in its time"


def _is_of_lost_writes(history: History, answer: Answer) -> bool:
    """Whether what is known of this session or token was written between a backup and its restore."""
    session = history.logins.get(answer.session)
    issue = history.issues.get(answer.presented)
    rotation = history.rotated(answer.presented) if answer.kind == "refresh" else None
    ends = history.ends_of_token(answer.presented) + history.ends_of_session(answer.session)
    moments = [known.answered for known in (session, issue, rotation) if known is not None]
    moments += [end.told for end in ends if end.told is not None and end.told < answer.answered]
    return any(span.since < answer.answered and any(map(span.holds, moments)) for span in history.lost())


def _ended(end: End) -> str:
    return f"ended by {end.by} at {end.told:.3f}"


def _words(answer: Answer) -> str:
    token = f" of {answer.presented}" if answer.presented else ""
    return (
        f"{answer.kind}{token} (session {answer.session}) at {answer.instance}, "
        f"{answer.begun:.3f} to {answer.answered:.3f}, {answer.status} {answer.error}".rstrip()
    )
