"""GET /healthz, /readyz and /metrics while all is well."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.service import USERNAME, Service


async def test_a_living_process_is_healthy(service: Service) -> None:
    response = await service.http.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


async def test_readiness_names_each_store(service: Service) -> None:
    response = await service.http.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "database": "ok",
        "redis": "ok" if service.stack.has_redis else "not configured",
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_a_probe_needs_no_token_and_keeps_out_of_caches(service: Service, path: str) -> None:
    response = await service.http.get(path, headers={"Authorization": "Bearer x"})

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"


async def test_metrics_are_in_the_text_format_of_prometheus(service: Service) -> None:
    await service.http.get("/healthz")

    response = await service.http.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family.type for family in text_string_to_metric_families(response.text)}
    assert families["authsvc_request_seconds"] == "histogram"
    assert families["authsvc_events"] == "counter"
    assert 'authsvc_request_seconds_count{method="GET",route="/healthz",status="200"}' in response.text


async def test_metrics_count_logins_by_their_outcome(service: Service) -> None:
    await service.add_account()
    before = await service.metric('authsvc_events_total{event="login_succeeded"}')
    failed = await service.metric('authsvc_events_total{event="login_failed"}')

    await service.login()
    await service.post("/login", username=USERNAME, password="wrong")

    assert await service.metric('authsvc_events_total{event="login_succeeded"}') == before + 1
    assert await service.metric('authsvc_events_total{event="login_failed"}') == failed + 1


async def test_metrics_name_routes_and_nobody(service: Service) -> None:
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client)
    session_id = (await service.as_user("GET", "/me", tokens["access_token"])).json()["session_id"]
    await service.as_user("DELETE", f"/sessions/{session_id}", tokens["access_token"])
    await service.http.get(f"/no-such-page-{session_id}")
    await service.http.request("MADEUP", "/me")

    text = (await service.http.get("/metrics")).text

    assert 'route="/sessions/{session_id}"' in text
    assert 'method="GET",route="unknown",status="404"' in text
    assert 'method="other",' in text
    for secret in (*tokens.values(), session_id, USERNAME, client.id, client.secret, "MADEUP"):
        if isinstance(secret, str) and secret not in {"Bearer", "account"}:
            assert secret not in text
