"""The README's map and the decision records stay true."""

import re
from pathlib import Path

import pytest

RECORDS = sorted((Path(__file__).parents[2] / "docs/decisions").glob("*.md"))


def test_every_place_on_the_map_of_the_readme_exists(repository: Path) -> None:
    readme = (repository / "README.md").read_text()
    section = readme.partition("## Where is …?")[2].partition("\n## ")[0]
    places = re.findall(r"^\| [^|]+ \| `([^`]+)` \|$", section, re.MULTILINE)

    assert len(places) > 10
    assert [place for place in places if not (repository / place).is_file()] == []


def test_every_link_of_the_readme_leads_somewhere(repository: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (repository / "README.md").read_text())

    assert [link for link in links if "://" not in link and not (repository / link).exists()] == []


@pytest.mark.parametrize("record", RECORDS, ids=[record.stem for record in RECORDS])
def test_a_decision_record_is_short_and_names_what_enforces_it(record: Path, repository: Path) -> None:
    text = record.read_text()

    assert len(text.splitlines()) <= 40
    for heading in ("Context", "Decision", "Consequences", "Enforced by"):
        assert f"**{heading}.**" in text
    enforced = text.partition("**Enforced by.**")[2]
    named = re.findall(r"`((?:tests|src|docs)/[^`]+|pyproject\.toml)`", enforced)
    assert [path for path in named if not (repository / path).exists()] == []
