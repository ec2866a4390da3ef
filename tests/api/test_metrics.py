"""GET /metrics: each metric of docs/logs-and-metrics.md counts what the page says; nothing is anyone's."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from authsvc.clean_up import TABLES
from tests.conftest import MakeService
from tests.fixtures.costs import FULL_COST
from tests.fixtures.full_pool import every_connection_in_use
from tests.fixtures.processes import free_port
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service
from tests.fixtures.stack import SECRET


@dataclass(frozen=True)
class Sample:
    """One line of /metrics."""

    name: str
    labels: frozenset[tuple[str, str]]


async def samples(service: Service) -> Counter[Sample]:
    """Every line of the service's own; the library counts on for the whole life of the process."""
    answer = await service.http.get("/metrics")
    assert answer.status_code == 200
    found: Counter[Sample] = Counter()
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name.startswith("authsvc_") and not sample.name.endswith("_created"):
                found[Sample(sample.name, frozenset(sample.labels.items()))] = sample.value  # type: ignore[assignment] # seconds are no integers
    return found


@dataclass
class Growth:
    """What was counted since."""

    service: Service
    before: Counter[Sample]

    async def of(self, name: str, **labels: str) -> float:
        """By how much a line has grown."""
        sample = Sample(name, frozenset(labels.items()))
        return (await samples(self.service))[sample] - self.before[sample]

    async def routes(self) -> set[tuple[str, str, str]]:
        """Method, route and status of what was asked since, but for /metrics itself."""
        now = await samples(self.service)
        grown = {sample for sample in now if now[sample] > self.before[sample]}
        asked = (dict(sample.labels) for sample in grown if sample.name == "authsvc_request_seconds_count")
        return {
            (labels["method"], labels["route"], labels["status"])
            for labels in asked
            if labels["route"] != "/metrics"
        }


@pytest.fixture
async def growth(service: Service) -> Growth:
    return Growth(service, await samples(service))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("authsvc_request_seconds", "histogram"),
        ("authsvc_events", "counter"),
        ("authsvc_password_hash_seconds", "histogram"),
        ("authsvc_password_hashes_refused", "counter"),
        ("authsvc_store_errors", "counter"),
        ("authsvc_fallbacks", "counter"),
        ("authsvc_denials", "counter"),
    ],
)
async def test_a_metric_is_there_with_its_kind_and_a_word_about_it(
    service: Service, name: str, kind: str
) -> None:
    answer = await service.http.get("/metrics")

    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families[name].type == kind
    assert families[name].documentation
    assert answer.headers["content-type"].startswith("text/plain; version=")


async def test_a_request_is_counted_by_method_route_and_status(service: Service, growth: Growth) -> None:
    for _ in range(3):
        await service.http.get("/healthz")

    labels = {"method": "GET", "route": "/healthz", "status": "200"}
    assert await growth.of("authsvc_request_seconds_count", **labels) == 3
    assert await growth.of("authsvc_request_seconds_bucket", **labels, le="+Inf") == 3
    assert 0 < await growth.of("authsvc_request_seconds_sum", **labels) < 3


async def test_refusals_are_counted_with_the_status_that_was_answered(
    service: Service, growth: Growth
) -> None:
    await service.post("/login", username=USERNAME, password=PASSWORD)
    await service.post("/introspect", token="x")
    await service.as_user("GET", "/me", "x")
    await service.http.post("/login", json={})

    assert await growth.routes() == {
        ("POST", "/login", "400"),
        ("POST", "/introspect", "401"),
        ("GET", "/me", "401"),
        ("POST", "/login", "415"),
    }


async def test_unknown_paths_and_methods_grow_no_labels(
    service: Service, growth: Growth, signed_in: Json
) -> None:
    token = signed_in["access_token"]
    for number in range(5):
        await service.http.get(f"/{token}/{number}")
        await service.http.request(f"BREW{number}", f"/pot/{number}")
        await service.http.request(f"BREW{number}", "/me")
        await service.as_user("DELETE", f"/sessions/{number}", token)

    routes = await growth.routes()
    assert routes - {("POST", "/login", "200")} == {
        ("GET", "unknown", "404"),
        ("other", "unknown", "404"),
        ("other", "/me", "405"),
        ("DELETE", "/sessions/{session_id}", "404"),
    }


async def test_logins_are_counted_by_outcome(service: Service, growth: Growth) -> None:
    await service.add_account()
    for _ in range(2):
        await service.login()
    for password in ("wrong", "wronger", "wrongest"):
        await service.post("/login", username=USERNAME, password=password)

    assert await growth.of("authsvc_events_total", event="login_succeeded") == 2
    assert await growth.of("authsvc_events_total", event="login_failed") == 3


async def test_an_event_is_counted_once_for_each_line_of_the_log(
    service: Service, growth: Growth, signed_in: Json
) -> None:
    await service.refreshed(signed_in["refresh_token"])
    await service.refreshed(signed_in["refresh_token"])
    service.clock.advance(seconds=10)
    await service.refresh(signed_in["refresh_token"])

    for event in ("refresh_rotated", "refresh_repeated", "refresh_replayed", "session_ended"):
        assert await growth.of("authsvc_events_total", event=event) == 1


async def test_each_password_is_one_hash_and_its_time_is_seconds(service: Service, growth: Growth) -> None:
    await service.add_account()
    await service.post("/login", username=USERNAME, password="wrong")
    await service.post("/login", username="nobody@example.com", password=PASSWORD)
    await service.login()

    assert await growth.of("authsvc_password_hash_seconds_count") == 3
    assert 0 < await growth.of("authsvc_password_hash_seconds_sum") < 30
    assert await growth.of("authsvc_password_hashes_refused_total") == 0


async def test_logins_refused_because_of_the_wait_are_counted(
    service_with: MakeService, growth: Growth
) -> None:
    impatient = await service_with(hash_threads=1, hash_max_wait_seconds=0.001, **FULL_COST)

    answers = await asyncio.gather(
        *(impatient.post("/login", username=USERNAME, password=PASSWORD) for _ in range(4))
    )

    refused = [answer.status_code for answer in answers].count(503)
    assert refused >= 1
    assert await growth.of("authsvc_password_hashes_refused_total") == refused
    assert await growth.of("authsvc_password_hash_seconds_count") == 4 - refused


@pytest.mark.only("postgres-jwt", "postgres-opaque", reason="SQLite has no Redis beside it")
async def test_a_denial_that_was_written_is_counted(
    service: Service, growth: Growth, signed_in: Json
) -> None:
    await service.as_user("POST", "/logout", signed_in["access_token"])
    assert await growth.of("authsvc_denials_total") == 1

    await service.as_user("POST", "/logout", signed_in["access_token"])
    assert await growth.of("authsvc_denials_total") == 1


async def test_a_redis_that_is_away_is_counted_and_so_are_the_checks_that_fell_back(
    service_with: MakeService, growth: Growth, caller: Registered, signed_in: Json
) -> None:
    errors = await growth.of("authsvc_store_errors_total", store="redis")
    lonely = await service_with(redis_url=SecretStr(f"redis://127.0.0.1:{free_port()}/0"))
    tried = await growth.of("authsvc_store_errors_total", store="redis")
    assert tried > errors

    assert await lonely.is_live(signed_in["access_token"], caller)

    fell_back = int(lonely.issues_jwt)  # the row of an opaque token is in the database anyway
    assert await growth.of("authsvc_fallbacks_total") == fell_back
    assert await growth.of("authsvc_store_errors_total", store="redis") == tried  # no check waits for it
    assert await growth.of("authsvc_store_errors_total", store="database") == 0

    await lonely.as_user("POST", "/logout", signed_in["access_token"])
    assert await growth.of("authsvc_denials_total") == 0
    assert await growth.of("authsvc_events_total", event="denial_undelivered") == 1


async def test_a_pool_that_is_full_is_counted_apart_from_a_database_that_is_away(
    service_with: MakeService, growth: Growth, caller: Registered
) -> None:
    narrow = await service_with(database_pool_size=1, database_timeout_seconds=0.5)

    async with every_connection_in_use(narrow.stack.services.stores.database):
        answer = await narrow.post("/introspect", caller, token="x")

    assert answer.status_code == 503
    assert await growth.of("authsvc_store_errors_total", store="database pool") == 1
    assert await growth.of("authsvc_store_errors_total", store="database") == 0


@pytest.mark.only("postgres-jwt", "postgres-opaque", reason="readers of SQLite wait for nobody")
async def test_a_database_that_does_not_answer_in_time_is_counted(
    service: Service, service_with: MakeService, growth: Growth, caller: Registered
) -> None:
    impatient = await service_with(database_timeout_seconds=0.5)

    async with service.transaction() as tx:
        await tx.execute(sa.text("LOCK TABLE client IN ACCESS EXCLUSIVE MODE"))
        answer = await impatient.post("/introspect", caller, token="x")

    assert answer.status_code == 503
    assert await growth.of("authsvc_store_errors_total", store="database") == 1
    assert await growth.of("authsvc_store_errors_total", store="database pool") == 0


@pytest.mark.demand("A-23")
async def test_nothing_of_anyones_is_in_the_metrics(service: Service, caller: Registered) -> None:
    account = await service.add_account()
    tokens = await service.login(caller)
    newer = await service.refreshed(tokens["refresh_token"], caller)
    own = await service.client_token(caller)
    for token in (newer["access_token"], newer["refresh_token"], own):
        await service.introspect(token, caller)
        await service.http.get(f"/{token}", params={"token": token})
        await service.http.get(f"/sessions/{token}")
        await service.http.request(token[:40].upper(), "/me")
        await service.http.post("/introspect", data={"token": token}, auth=(token, PASSWORD))
        await service.post("/login", username=token, password=token, client_id=token)

    [session] = await service.sessions()
    text = (await service.http.get("/metrics")).text
    anyones: list[Any] = [USERNAME, PASSWORD, SECRET, caller.id, caller.secret, account.id, session.id]
    anyones += [tokens["refresh_token"], newer["access_token"], newer["refresh_token"], own, own[:40].upper()]
    assert [one for one in anyones if str(one) in text] == []


async def test_the_values_of_every_label_are_from_a_fixed_set(service: Service, signed_in: Json) -> None:
    await service.as_user("GET", "/sessions", signed_in["access_token"])

    values: dict[str, set[str]] = {}
    for sample in await samples(service):
        for name, value in sample.labels:
            values.setdefault(name, set()).add(value)

    assert set(values) <= {"method", "route", "status", "event", "store", "le", "job", "table", "limit"}
    paths = set(service.stack.app.openapi()["paths"]) | {"unknown", "/docs", "/docs/{name}", "/openapi.json"}
    assert {route for route in values["route"] if route not in paths} == set()
    assert values["method"] <= {"GET", "POST", "DELETE", "OPTIONS", "HEAD", "other"}
    assert values.get("store", set()) <= {"database", "database pool", "redis"}
    assert values.get("table", set()) <= set(TABLES)
