"""What happened under load: every answer with its times, and what was done to the world meanwhile.

A record holds fingerprints of tokens, never a token. All times are seconds of one monotonic clock.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

Kind = Literal["login", "refresh", "introspect", "verify", "logout", "revoke"]
CHECKS: tuple[Kind, ...] = ("introspect", "verify")
ENDS: tuple[Kind, ...] = ("logout", "revoke")

Name = Literal[
    "fault",  # from the first thing done to the last thing undone
    "redis unwritable",  # or its primary has just changed: P6's stated second is allowed
    "database away",  # no statement goes through
    "database dead",  # no end that is answered can have been committed: it does not run, or refuses that
    "lost writes",  # from the backup to the end of its restore
    "key revoked",  # the command, from start to exit; `of` is the key
    "instance stopped",  # from SIGTERM until it serves again; `of` is the instance
    "instance killed",  # the same from SIGKILL
    "checks answered",  # a 503 to a check is wrong: a store with the evidence is there
    "jwt checks answered",  # the same, of a JWT only
]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One request: who asked what of which instance, when, and what came back."""

    asker: int
    kind: Kind
    instance: str
    begun: float
    answered: float
    status: int
    """0 where no answer came."""
    session: str = ""
    """The load's own number for the session that it is about."""
    presented: str = ""
    """The token in the request."""
    meant: Literal["", "repeat", "replay"] = ""
    """Why an old refresh token was presented on purpose."""
    live: bool | None = None
    """What a check said of the token."""
    access: str = ""
    refresh: str = ""
    kid: str = ""
    """The issued tokens, and the key that signed the first."""
    error: str = ""
    retry_after: str = ""


@dataclass(frozen=True)
class Span:
    """A stretch of time in which something was the case."""

    name: Name
    since: float
    until: float
    of: str = ""

    def holds(self, moment: float) -> bool:
        """Whether *moment* lies in it."""
        return self.since <= moment <= self.until

    def meets(self, since: float, until: float) -> bool:
        """Whether the time from *since* to *until* and it have a moment in common."""
        return since <= self.until and until >= self.since


@dataclass
class Record:
    """Everything about one fault in one token format."""

    token_format: str
    overlap: float
    answers: list[Answer] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What went wrong and is no answer, such as the exit status of an instance."""

    def named(self, name: Name) -> list[Span]:
        """Return the spans of that name, in order."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.since)

    def write(self, path: Path) -> None:
        """Keep it as JSON lines: the head, the spans, then each answer."""
        head = {"format": self.token_format, "overlap": self.overlap, "complaints": self.complaints}
        lines = [head, *map(asdict, self.spans), *map(asdict, self.answers)]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    @classmethod
    def read(cls, path: Path) -> "Record":
        """Read what `write` wrote."""
        head, *lines = map(json.loads, path.read_text().splitlines())
        return cls(
            head["format"],
            head["overlap"],
            [Answer(**line) for line in lines if "kind" in line],
            [Span(**line) for line in lines if "name" in line],
            head["complaints"],
        )


@dataclass(frozen=True)
class Notes:
    """Writes the same span or complaint into the record of every format."""

    records: tuple[Record, ...]

    @contextmanager
    def span(self, *names: Name, of: str = "") -> Iterator[None]:
        """Note that these hold for the length of the block."""
        since = now()
        try:
            yield
        finally:
            for name in names:
                self.add(Span(name, since, now(), of))

    def add(self, span: Span) -> None:
        for record in self.records:
            record.spans.append(span)

    def complain(self, words: str) -> None:
        for record in self.records:
            record.complaints.append(words)


def now() -> float:
    return time.monotonic()


def fingerprint(token: str) -> str:
    return sha256(token.encode()).hexdigest()[:16]
