"""The figures of one fault in one format: how much was asked, what it cost, how soon it was over."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from tests.faults.checker import Findings
from tests.faults.record import ENDS, Answer, Record

RECOVERED_SECONDS = 1.0
# Whoever was refused asks again sooner; not always the same instance.
ASKED_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Outage:
    """A stretch in which one instance granted no request of one kind, though it was asked."""

    seconds: float = 0.0
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.kind})" if self.kind else "none"


@dataclass(frozen=True)
class Figures:
    """One row of the table."""

    fault: str
    token_format: str
    answers: int
    ends: int
    seconds: float
    wrong: int
    apart: int
    unavailable: int
    outage: Outage
    recovery: float

    @classmethod
    def of(cls, fault: str, record: Record, findings: Findings) -> "Figures":
        answered = [answer for answer in record.answers if answer.status]
        times = [answer.answered for answer in record.answers]
        return cls(
            fault,
            record.token_format,
            answers=len(answered),
            ends=count_ends(record),
            seconds=max(times) - min(times) if times else 0.0,
            wrong=len(findings.wrong),
            apart=findings.apart,
            unavailable=sum(answer.status == 503 for answer in answered),
            outage=longest_outage(record),
            recovery=recovery_time(record),
        )


def count_ends(record: Record) -> int:
    """Count the logouts, revocations and replays that were answered as such."""
    done = [answer for answer in list(record.answers) if answer.kind in ENDS and answer.status in (200, 204)]
    replays = [answer for answer in list(record.answers) if answer.meant == "replay" and answer.status == 400]
    return len(done) + len(replays)


def longest_outage(record: Record) -> Outage:
    """From the first request of a kind that an instance did not grant to the next that it did.

    Where nobody asked for a while before that one, it ends with the last that was not granted. An instance
    that was stopped or killed itself does not count for that time.
    """
    found = [Outage()]
    ordered = sorted(record.answers, key=lambda answer: (answer.instance, answer.kind, answer.answered))
    for _, group in groupby(ordered, key=lambda answer: (answer.instance, answer.kind)):
        found += _outages([answer for answer in group if not _was_down(record, answer)])
    return max(found, key=lambda outage: outage.seconds)


def _outages(answers: list[Answer]) -> Iterator[Outage]:
    refused: list[Answer] = []
    for answer in answers:
        if answer.status in (0, 503):
            refused.append(answer)
        elif refused:
            is_next = answer.begun <= refused[-1].answered + ASKED_AGAIN_SECONDS
            yield _outage(refused, answer if is_next else refused[-1])
            refused = []
    if refused:
        yield _outage(refused, refused[-1])


def _outage(refused: list[Answer], last: Answer) -> Outage:
    return Outage(last.answered - refused[0].begun, last.kind)


def _was_down(record: Record, answer: Answer) -> bool:
    return any(
        span.of == answer.instance and span.meets(answer.begun, answer.answered)
        for span in record.named("instance stopped") + record.named("instance killed")
    )


def recovery_time(record: Record) -> float:
    """From the end of the fault to the first second without a 503."""
    ended = max((span.until for span in record.named("fault")), default=0.0)
    recovered = ended
    for moment in sorted(answer.answered for answer in record.answers if answer.status == 503):
        if recovered <= moment <= recovered + RECOVERED_SECONDS:
            recovered = moment
    return recovered - ended
