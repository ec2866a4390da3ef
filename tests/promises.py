"""`docs/promises.md`: which promises there are, and which of them are kept today."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.suite_index import ROOT

PAGE = Path("docs/promises.md")
COUNT = 21
_ENTRY = re.compile(r"^### (P\d+): .+\n\nState: (kept|kept in part)$", re.MULTILINE)


@dataclass(frozen=True)
class Promise:
    """One entry of the page."""

    id: str
    state: str

    @property
    def is_kept(self) -> bool:
        """Whether any of it is kept today, so that a mutant must be able to break it."""
        return self.state.startswith("kept")


def read_promises(root: Path = ROOT) -> list[Promise]:
    """Read every promise whose state the page gives in the form it must have."""
    text = (root / PAGE).read_text(encoding="utf-8")
    return [Promise(id=match[1], state=match[2]) for match in _ENTRY.finditer(text)]
