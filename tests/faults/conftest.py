"""The world that the tests break, one for all of them."""

from collections.abc import Iterator

import pytest

from tests.faults.world import World, open_world

# The longest an honest client waits between two tries is well below it.
OVERLAP_SECONDS = 2


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    # The whole suite shares the machine; a slow moment is no fault of Redis.
    with open_world(overlap=OVERLAP_SECONDS, REDIS_TIMEOUT_SECONDS="1") as made:
        yield made
