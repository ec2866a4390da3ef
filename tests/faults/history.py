"""What a record says of each session and token: issued by whom, ended when, rotated when."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.record import Answer, Record, Span

# How long an instance may take to notice that the database is back; its overlaps start anew from then.
NOTICED_SECONDS = 2.0
# And that it is gone: only an overlap that is open then is cut short.
LOSS_NOTICED_SECONDS = 1.0


@dataclass(frozen=True)
class End:
    """What ended a session or a token, or perhaps did: then nobody was told so and `told` is None."""

    begun: float
    told: float | None
    by: str

    def may_precede(self, moment: float) -> bool:
        return self.begun < moment

    def precedes(self, moment: float) -> bool:
        return self.told is not None and self.told < moment


class History:
    """The record, by session and by token."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.logins: dict[str, Answer] = {}
        self.issues: dict[str, Answer] = {}
        self.successors: dict[str, str] = {}
        self.presentations: dict[str, list[Answer]] = defaultdict(list)
        self._ends: dict[str, list[End]] = defaultdict(list)
        self._dead = record.named("database dead")
        self._away = record.named("database away")
        self._unavailable = [answer for answer in record.answers if answer.status == 503]
        for answer in sorted(record.answers, key=lambda answer: answer.begun):
            self._add(answer)

    def _add(self, answer: Answer) -> None:
        if answer.access:
            self.issues[answer.access] = answer
        if answer.kind == "login" and answer.status == 200:
            self.logins[answer.session] = answer
        if answer.kind == "refresh":
            self.presentations[answer.presented].append(answer)
            if answer.status == 200:
                self.successors.setdefault(answer.presented, answer.refresh)
        end = self._end_made_by(answer)
        if end is not None:
            # An access token that is revoked dies alone; all else ends its session.
            alone = answer.kind == "revoke" and answer.presented in self.issues
            self._ends[answer.presented if alone else answer.session].append(end)

    def _end_made_by(self, answer: Answer) -> End | None:
        by = f"{answer.kind} at {answer.instance}, {answer.status}"
        certain = End(answer.begun, answer.answered, by)
        possible = End(answer.begun, None, by)
        if answer.kind in ("logout", "revoke"):
            if answer.status in (200, 204):
                return certain
            return possible if self._may_have_been_done(answer) else None
        if answer.kind == "refresh" and answer.error == "invalid_grant":
            return certain
        if answer.kind == "refresh" and answer.meant == "replay" and self._may_have_been_done(answer):
            return possible
        return None

    def _may_have_been_done(self, answer: Answer) -> bool:
        """Whether a request that was not granted can have had its effect all the same."""
        nowhere_to_commit = any(
            span.since < answer.begun and answer.answered < span.until for span in self._dead
        )
        return answer.status in (0, 503) and not nowhere_to_commit

    def ends_of_session(self, session: str) -> list[End]:
        return self._ends[session]

    def ends_of_token(self, access: str) -> list[End]:
        """Everything that ended the token or may have: itself, its session, its key."""
        issue = self.issues.get(access)
        if issue is None:
            return []
        return [*self._ends[access], *self._ends[issue.session], *self._ends_of_key(issue)]

    def _ends_of_key(self, issue: Answer) -> Iterator[End]:
        for span in self.record.named("key revoked"):
            # What a withdrawn key signs after the command was done should never have been signed.
            if issue.kid == span.of and issue.begun < span.until:
                yield End(span.since, span.until, f"keys revoke {span.of}")

    def first_rotation(self, refresh: str, *, before: float) -> float | None:
        """When the token can have been rotated at the earliest, by a request begun *before*."""
        tries = [
            answer.begun
            for answer in self.presentations[refresh]
            if answer.begun < before and (answer.status == 200 or self._may_have_been_done(answer))
        ]
        return min(tries, default=None)

    def rotated(self, refresh: str) -> Answer | None:
        """The first exchange of the token that was answered."""
        answered = [answer for answer in self.presentations[refresh] if answer.status == 200]
        return min(answered, key=lambda answer: answer.answered, default=None)

    def overlap_end(
        self, rotated: float, *, loss_noticed: float = 0.0, noticed: float = 0.0, at: str = ""
    ) -> float:
        """Until when the predecessor may come again; around an outage as P3 says.

        An instance that says 503 may have lost the database, whatever happened to that; *at* names it.
        """
        end = rotated + self.record.overlap
        lost = [
            Span("database away", answer.begun, answer.answered)
            for answer in self._unavailable
            if answer.instance == at
        ]
        for outage in sorted([*self._away, *lost], key=lambda outage: outage.since):
            if outage.since + loss_noticed < end and rotated < outage.until + noticed:
                end = max(end, outage.until + noticed + self.record.overlap)
        return end

    def is_replay(self, answer: Answer) -> bool:
        """Whether the refresh token presented was certainly too old for any overlap."""
        rotation = self.rotated(answer.presented)
        if rotation is None:
            return False
        successor_rotation = self.rotated(rotation.refresh)
        if successor_rotation is not None and successor_rotation.answered < answer.begun:
            return True
        end = self.overlap_end(rotation.answered, noticed=NOTICED_SECONDS, at=answer.instance)
        return answer.begun > end

    def may_be_replay(self, answer: Answer) -> bool:
        """Whether it can have been too old, had every uncertain thing gone against it."""
        successor = self.successors.get(answer.presented)
        if successor and self.first_rotation(successor, before=answer.answered) is not None:
            return True
        rotated = self.first_rotation(answer.presented, before=answer.begun)
        return rotated is not None and answer.answered > self.overlap_end(
            rotated, loss_noticed=LOSS_NOTICED_SECONDS
        )

    def lost(self) -> list[Span]:
        return self.record.named("lost writes")
