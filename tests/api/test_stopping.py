"""What a client sees of an instance that was told to stop and still accepts."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.service import Service


@pytest.fixture
async def stopping(service: Service) -> AsyncIterator[Service]:
    service.stack.app.state.stop.has_begun = True
    yield service
    service.stack.app.state.stop.has_begun = False


async def test_it_is_not_ready_and_alive(stopping: Service) -> None:
    readiness = await stopping.http.get("/readyz")

    assert (readiness.status_code, readiness.json()["status"]) == (503, "stopping")
    assert readiness.json()["database"] == "ok"
    assert (await stopping.http.get("/healthz")).status_code == 200


async def test_it_answers_and_keeps_no_connection(stopping: Service) -> None:
    await stopping.add_account()

    login = await stopping.post("/login", username="ada@example.com", password="not the password at all")

    assert login.json()["error"] == "invalid_grant"
    assert login.headers.get("connection") == "close"


async def test_it_keeps_connections_until_it_is_told(service: Service) -> None:
    response = await service.http.get("/healthz")

    assert "connection" not in response.headers
