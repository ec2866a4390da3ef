"""What a driver raises becomes what the service answers, and is gone with the answer."""

import gc
from collections.abc import Iterator
from datetime import timedelta

import pytest

from authsvc.errors import Unavailable
from authsvc.storage.database_errors import driver_errors, raise_ours
from authsvc.storage.outage import OutageWatch
from tests.fixtures.clock import START, ManualClock


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
async def test_a_refusal_leaves_no_garbage() -> None:
    watch = OutageWatch(ManualClock(), timedelta(seconds=10))

    def refuse() -> None:
        raise ConnectionRefusedError

    def lose_in_a_block() -> None:
        with driver_errors(watch):
            refuse()

    def lose_in_a_statement() -> None:
        try:
            refuse()
        except ConnectionRefusedError as error:
            raise_ours(error, watch, START)
            raise

    for lose in (lose_in_a_block, lose_in_a_statement):
        with pytest.raises(Unavailable):
            lose()
        gc.collect()
        for _ in range(50):
            try:
                lose()
            except Unavailable:
                continue
        assert gc.collect() == 0
