"""The pages themselves: short, whole, and all of them on the table."""

import re

import pytest

from tests.docs.pages import FOLDER, Page
from tests.docs.stacks import KINDS, Kind

LONGEST = 115


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_page_is_short_and_holds_its_whole_configuration_in_one_block(kind: Kind) -> None:
    page = Page(kind.page)

    assert len(page.text.splitlines()) <= LONGEST
    assert len(page.blocks(kind.language)) == 1
    assert len(page.requests()) >= 6


def test_the_table_names_every_page_and_every_page_is_executed() -> None:
    linked = set(re.findall(r"\]\((\w+\.md)\)", Page("README.md").text))

    assert linked == {kind.page for kind in KINDS.values()}
    assert linked | {"README.md"} == {file.name for file in FOLDER.iterdir()}
