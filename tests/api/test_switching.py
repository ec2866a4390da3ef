"""A process that serves hands the lock of the interpreter over soon: hashes that end need it."""

import sys
from collections.abc import Iterator

import pytest

from authsvc.app import create_app
from tests.fixtures.logs import written
from tests.fixtures.service import Service


@pytest.fixture
def _as_before() -> Iterator[None]:
    seconds = sys.getswitchinterval()
    yield
    sys.setswitchinterval(seconds)


@pytest.mark.only("sqlite-jwt", reason="it is one process, whatever its stores")
@pytest.mark.usefixtures("_as_before")
async def test_whoever_waits_for_the_lock_is_handed_it_soon(service: Service) -> None:
    with written():
        app = create_app(service.stack.settings)
        async with app.router.lifespan_context(app):
            seconds = sys.getswitchinterval()

    assert seconds <= 0.0001
