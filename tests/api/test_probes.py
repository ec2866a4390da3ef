"""GET /healthz, /readyz and /metrics while all is well."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.service import Service


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
