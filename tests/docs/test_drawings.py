"""The drawings can be drawn: Mermaid itself reads each."""

import subprocess
from pathlib import Path

from tests.docs.pages import Page, every_page
from tests.docs.software import NODE

READER = Path(__file__).with_name("read_drawing.mjs")


def test_every_drawing_of_the_documentation_can_be_read() -> None:
    drawings = [
        block.code for path in every_page() for block in Page(path).blocks if block.language == "mermaid"
    ]

    assert len(drawings) >= 2
    for drawing in drawings:
        read = subprocess.run(
            [NODE.demand(), READER], input=drawing, capture_output=True, text=True, check=False
        )
        assert read.returncode == 0, read.stderr
