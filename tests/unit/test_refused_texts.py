"""The memory of texts that are no tokens: bounded, in number and in what is kept of each."""

from collections.abc import AsyncIterator

import pytest

from authsvc.tokens.keys import KeyRing
from authsvc.tokens.refused_texts import RefusedTexts
from tests.fixtures.clock import ManualClock
from tests.fixtures.stack import make_settings, migrate, running


@pytest.fixture(scope="module")
async def ring(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KeyRing]:
    made = make_settings(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('texts')}/authsvc.db", None)
    await migrate(made)
    async with running(made, ManualClock()) as instance:
        yield instance.services.keys


async def test_the_one_that_was_kept_longest_goes(ring: KeyRing) -> None:
    texts = RefusedTexts(at_most=2)
    for text in (b"first", b"second", b"third"):
        texts.add(text, None, ring)

    assert [await texts.include(text, ring) for text in (b"first", b"second", b"third")] == [
        False,
        True,
        True,
    ]


async def test_no_more_is_kept_of_a_text_than_a_key_id_of_bounded_length(ring: KeyRing) -> None:
    texts = RefusedTexts()
    texts.add(b"long", "k" * 65, ring)
    texts.add(b"short", "k" * 64, ring)

    assert [await texts.include(text, ring) for text in (b"long", b"short")] == [False, True]


async def test_a_text_that_names_a_key_of_ours_is_refused_for_good(ring: KeyRing) -> None:
    texts = RefusedTexts()
    texts.add(b"text", ring.current().kid, ring)

    assert await texts.include(b"text", ring)


async def test_it_can_be_switched_off(ring: KeyRing) -> None:
    texts = RefusedTexts(at_most=0)
    texts.add(b"text", None, ring)

    assert not await texts.include(b"text", ring)
