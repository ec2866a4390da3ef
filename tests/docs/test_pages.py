"""The pages themselves: short, whole, and all of them on the table."""

import re
from contextlib import nullcontext

import pytest

from tests.docs.pages import ROOT, Command, Page, every_page
from tests.docs.stacks import BACKEND_PAGE, KINDS, Kind
from tests.docs.terminal import Printed

LONGEST = 115


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_page_is_short_and_holds_its_whole_configuration_in_one_block(kind: Kind) -> None:
    page = Page(kind.page)

    assert len(page.text.splitlines()) <= LONGEST
    assert page.block(kind.language)
    assert len(page.commands_in("console")) >= 6


def test_the_table_names_every_page_and_every_page_is_executed() -> None:
    guard = (ROOT / BACKEND_PAGE).parent
    linked = {guard / name for name in re.findall(r"\]\((\w+\.md)\)", Page(BACKEND_PAGE).text)}

    assert linked == {ROOT / kind.page for kind in KINDS.values()}
    assert linked | {ROOT / BACKEND_PAGE} == set(guard.iterdir())


def test_every_block_begins_with_its_language_at_the_start_of_a_line() -> None:
    """Any other is not seen by what runs the blocks."""
    assert [path for path in every_page() if Page(path).fences != 2 * len(Page(path).blocks)] == []


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    assert [f"{path}: {link}" for path in every_page() for link in links(path) if not leads(path, link)] == []


@pytest.mark.parametrize(
    ("promised", "printed", "is_kept"),
    [
        ("401", "401\n", True),
        ("401", "4011\n", False),
        ('{"id":"…"}', '{"id":"x"}', True),
        ('{"id":"…"}', '{"name":"x"}', False),
        ('{"a":1,\n"b":2}', '{"a":1,"b":2}', True),
        ("a.c", "abc", False),
        ("", "something", False),
    ],
)
def test_what_was_printed_is_held_against_the_page(promised: str, printed: str, is_kept: bool) -> None:
    command = Command("a command", promised)

    with nullcontext() if is_kept else pytest.raises(AssertionError, match="a command"):
        command.check(Printed(printed, 0))


def test_a_command_without_an_answer_on_the_page_has_to_go_well() -> None:
    Command("true", None).check(Printed("whatever", 0))
    with pytest.raises(AssertionError, match="ended with 1"):
        Command("false", None).check(Printed("", 1))


def links(path: str) -> list[str]:
    """Return the links of a page that stay in the repository."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", Page(path).text) if "://" not in link]


def leads(path: str, link: str) -> bool:
    """Whether a link's file exists, with the heading that it names."""
    name, _, heading = link.partition("#")
    target = (ROOT / path).parent / name if name else ROOT / path
    return target.exists() and (not heading or heading in anchors(target.read_text()))


def anchors(text: str) -> set[str]:
    """Return what GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
