"""The picture is an SVG of our own, and the pages take what is put between their marks."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.picture import Bar, bars
from benchmarks.section import replace_section

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*rows: Bar, most: float = 1.0) -> ET.Element:
    return ET.fromstring(bars("A title", "a legend", rows, most=most))  # noqa: S314 - what we have just drawn ourselves


def widths(picture: ET.Element, kind: str) -> list[float]:
    return [float(bar.get("width", 0)) for bar in picture.iter(f"{SVG}rect") if bar.get("class") == kind]


def test_bars_are_as_long_as_their_figures() -> None:
    picture = drawn(Bar("a", 0.5, "0.5"), Bar("b", 0.25, "0.25"), Bar("c", 7, "7"))

    room = widths(picture, "room")[0]
    assert widths(picture, "bar") == [room / 2, room / 4, room]


def test_a_bar_that_misses_its_goal_has_another_colour() -> None:
    picture = drawn(Bar("a", 30, "30", goal=50, peer=10, is_missed=True), most=100)

    room = widths(picture, "room")[0]
    assert (widths(picture, "bar"), widths(picture, "missed")) == ([], [room * 0.3])
    assert widths(picture, "peer") == [room * 0.1]
    assert len(list(picture.iter(f"{SVG}line"))) == 1


def test_the_picture_says_in_words_what_it_shows_and_escapes_them() -> None:
    picture = drawn(Bar("a < b", 0.5, "0.5 of echo"))

    assert picture.findtext(f"{SVG}title") == "A title"
    assert picture.findtext(f"{SVG}desc") == "a < b: 0.5 of echo"
    assert "prefers-color-scheme: dark" in (picture.findtext(f"{SVG}style") or "")


def test_what_a_command_measured_stands_between_the_marks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n<!-- measured -->\nold\n<!-- /measured -->\n\nAfter.\n")

    for _ in range(2):
        replace_section(page, "measured", "new\n")

    assert page.read_text() == "Before.\n\n<!-- measured -->\n\nnew\n\n<!-- /measured -->\n\nAfter.\n"


def test_a_page_without_the_marks_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Nothing.\n")

    with pytest.raises(ValueError, match=r"page\.md has no <!-- measured -->"):
        replace_section(page, "measured", "new")
    assert page.read_text() == "Nothing.\n"


@pytest.mark.parametrize(
    ("page", "mark"),
    [("README.md", "benchmarks"), ("README.md", "measured"), ("docs/sessions-or-tokens.md", "measured")],
)
def test_the_pages_that_commands_write_into_have_their_marks(repository: Path, page: str, mark: str) -> None:
    text = (repository / page).read_text()

    assert (text.count(f"<!-- {mark} -->"), text.count(f"<!-- /{mark} -->")) == (1, 1)
