"""A finding of `authsvc doctor`: one line that says what, why it matters, and what to type."""

import re
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    subject: str
    level: Level
    what: str
    why: str = ""
    cure: str = ""


def refused(subject: str, sentence: str) -> Finding:
    """Return what a start would say, in its parts: what is wrong, and what to do about it."""
    what, *cure = re.split(r"[;.] ", sentence, maxsplit=1)
    return Finding(
        subject,
        "problem",
        what.removesuffix("."),
        "the service refuses to start like this",
        cure[0].removeprefix("Run: ") if cure else ".env.example lists every setting, with what it may be",
    )
