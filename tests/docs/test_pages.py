"""The pages themselves: short, whole, and all of them on the table."""

import re

import pytest

from tests.docs.pages import ROOT, Page
from tests.docs.stacks import BACKEND_PAGE, KINDS, Kind

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
