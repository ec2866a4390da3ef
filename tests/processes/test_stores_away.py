"""A real `authsvc serve`, over HTTP, while its stores are killed, frozen and come back."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from redis import Redis

from tests.fixtures.crowd import Crowd
from tests.fixtures.installation import SECRET, Installation
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.process import ServerProcess
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import PASSWORD, USERNAME

ANSWER_SECONDS = 2.0
TRUTH_SECONDS = 5.0
RECOVERY_SECONDS = 5.0
# Fewer than are asked at once: some wait for a connection first.
POOL_SIZE = 4
AWAY = {
    "postgres": {"database": "away", "redis": "ok"},
    "redis": {"database": "ok", "redis": "away"},
    "both": {"database": "away", "redis": "away"},
}


@dataclass
class Place:
    """One server over stores that nobody else uses."""

    token_format: str
    postgres: PostgresServer
    redis: RedisServer
    installation: Installation
    crowd: Crowd

    @property
    def server(self) -> ServerProcess:
        return self.crowd.servers[0]

    def stores(self, which: str) -> list[PostgresServer | RedisServer]:
        stores: dict[str, list[PostgresServer | RedisServer]] = {
            "postgres": [self.postgres],
            "redis": [self.redis],
            "both": [self.postgres, self.redis],
        }
        return stores[which]

    def restart(self) -> None:
        """End everything at once with SIGKILL, and start it again."""
        self.server.kill()
        for store in self.stores("both"):
            store.kill()
            store.start()
        started = self.installation.start("serve", port=self.server.port)
        self.crowd = replace(self.crowd, servers=[started.wait_until_serving()])

    def ready(self) -> dict[str, Any]:
        return dict(self.server.http.get("/readyz").json())

    def verify(self, token: str) -> int:
        return self.server.http.get("/verify", headers=_bearer(token)).status_code

    def refresh(self, token: str) -> httpx.Response:
        return self.server.http.post("/refresh", data={"refresh_token": token})


@pytest.fixture(scope="module", params=["jwt", "opaque"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as opened:
        postgres, redis = PostgresServer(), RedisServer()
        for store in (postgres, redis):
            opened.callback(store.close)
            store.start()
        postgres.create_database("authsvc")
        settings = {
            "AUTHSVC_DATABASE_URL": postgres.url("authsvc"),
            "AUTHSVC_REDIS_URL": redis.url(),
            "AUTHSVC_SECRET_KEYS": SECRET,
            "AUTHSVC_TOKEN_FORMAT": request.param,
            # The suite shares the machine, and what is measured here is the wait for stores.
            "AUTHSVC_HASH_NICENESS": "0",
            "AUTHSVC_DATABASE_POOL_SIZE": str(POOL_SIZE),
        }
        installation = Installation(settings, tmp_path_factory.mktemp("away"))
        installation.run("db", "upgrade").text()
        opened.callback(installation.stop)
        crowd = Crowd.around(installation, [installation.start("serve")])
        yield Place(request.param, postgres, redis, installation, crowd)


@pytest.fixture
def place(built: Place) -> Iterator[Place]:
    """It is whole when a test begins."""
    for store in built.stores("both"):
        store.thaw()
        store.start()
    _wait(lambda: built.ready()["status"] == "ready", 60)
    # Whoever asks is remembered from now on, and so is the client that tokens are issued to.
    built.crowd.introspect(built.server, built.crowd.login(built.server)["access_token"])
    yield built
    for store in built.stores("both"):
        store.thaw()
        store.start()


def _wait(is_so: Callable[[], bool], seconds: float) -> float:
    """Return how long it took until it is so; at least *seconds* if it never is."""
    began = time.monotonic()
    while not is_so() and time.monotonic() < began + seconds:
        time.sleep(0.05)
    return time.monotonic() - began


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _is_whole(place: Place, tokens: dict[str, Any]) -> bool:
    """Whether every kind of request is granted again."""
    login = place.server.http.post("/login", data={"username": USERNAME, "password": PASSWORD})
    return (
        place.ready()["status"] == "ready"
        and login.status_code == 200
        and place.verify(tokens["access_token"]) == 200
        and place.refresh(login.json()["refresh_token"]).status_code == 200
    )


@pytest.mark.demand("F-05")
@pytest.mark.parametrize("which", AWAY)
def test_it_recovers_within_five_seconds_and_without_a_restart(place: Place, which: str) -> None:
    tokens = place.crowd.login(place.server)
    for store in place.stores(which):
        store.kill()
    assert place.ready()["status"] != "ready"
    time.sleep(1)  # an outage that its jobs have met too

    for store in place.stores(which):
        store.start()
    took = _wait(lambda: _is_whole(place, tokens), RECOVERY_SECONDS)

    assert took < RECOVERY_SECONDS
    assert place.server.serving_pids == {place.server.pid}


@pytest.mark.demand("F-06", "F-03")
@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_without_postgres_login_and_refresh_are_refused_for_now(place: Place, how: str) -> None:
    tokens = place.crowd.login(place.server)
    getattr(place.postgres, how)()

    began = time.monotonic()
    login = place.server.http.post("/login", data={"username": USERNAME, "password": PASSWORD})
    between = time.monotonic()
    refresh = place.refresh(tokens["refresh_token"])
    ended = time.monotonic()

    for response in (login, refresh):
        assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
        assert int(response.headers["retry-after"]) >= 1
    assert max(between - began, ended - between) < ANSWER_SECONDS


@pytest.mark.demand("F-07")
@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_a_refresh_that_failed_for_the_databases_sake_is_granted_later(place: Place, how: str) -> None:
    tokens = place.crowd.login(place.server)
    getattr(place.postgres, how)()
    failed = [place.refresh(tokens["refresh_token"]).status_code for _ in range(3)]
    place.postgres.thaw()
    place.postgres.start()

    _wait(lambda: place.ready()["database"] == "ok", 20)
    granted = place.refresh(tokens["refresh_token"])

    assert failed == [503, 503, 503]
    assert granted.status_code == 200
    assert place.refresh(granted.json()["refresh_token"]).status_code == 200


Ask = Callable[[httpx.Client], httpx.Response]


def _posting(path: str, form: dict[str, str]) -> Ask:
    return lambda http: http.post(path, data=form)


def _getting(path: str, token: str) -> Ask:
    return lambda http: http.get(path, headers=_bearer(token))


def _everything(place: Place) -> dict[str, Ask]:
    """One request of every kind, each with tokens of its own."""
    logged_in = {name: place.crowd.login(place.server) for name in ("kept", "refreshed", "ended", "revoked")}
    kept = logged_in["kept"]["access_token"]
    forms = {
        "login": {"username": USERNAME, "password": PASSWORD},
        "refresh": {"refresh_token": logged_in["refreshed"]["refresh_token"]},
        "revoke": {"token": logged_in["revoked"]["access_token"], "client_id": "public"},
        "logout": {"refresh_token": logged_in["ended"]["refresh_token"]},
    }
    asks = {name: _posting(f"/{name}", form) for name, form in forms.items()}
    caller = place.crowd.caller
    asks["introspect"] = lambda http: http.post("/introspect", data={"token": kept}, auth=caller)
    for name in ("verify", "me", "readyz", "healthz", ".well-known/jwks.json"):
        asks[name] = _getting(f"/{name}", kept)
    return asks


@pytest.mark.demand("F-08", "F-03")
@pytest.mark.parametrize("which", AWAY)
def test_while_a_store_is_frozen_every_request_is_answered_in_time(
    place: Place, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = list(_everything(place).items())
    for store in place.stores(which):
        store.freeze()

    with ThreadPoolExecutor(len(asked)) as threads:
        answers = list(threads.map(lambda ask: _timed(place.server.url, *ask), asked))
        answers += list(threads.map(lambda ask: _timed(place.server.url, *ask), asked))

    slowest = max(answers, key=lambda answer: answer[2])
    with capsys.disabled():
        print(f"\n{place.token_format}, {which} frozen: the slowest of {len(answers)} is {slowest}")
    assert [answer for answer in answers if answer[2] >= ANSWER_SECONDS] == []
    assert [answer for answer in answers if answer[1] >= 500 and answer[1] != 503] == []


def _timed(url: str, name: str, ask: Ask) -> tuple[str, int, float]:
    """What was asked, the status, and how many seconds the answer took once there was a connection."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        http.get("/healthz")
        began = time.monotonic()
        status = ask(http).status_code
        return name, status, time.monotonic() - began


@pytest.mark.demand("F-13")
@pytest.mark.parametrize("which", AWAY)
def test_healthz_stays_and_readyz_tells_of_the_loss_and_of_the_return(place: Place, which: str) -> None:
    for store in place.stores(which):
        store.kill()
    lost = _wait(lambda: place.ready().items() >= AWAY[which].items(), TRUTH_SECONDS)
    told = place.server.http.get("/readyz")
    healthy = place.server.http.get("/healthz")
    for store in place.stores(which):
        store.start()
    returned = _wait(lambda: place.ready()["status"] == "ready", TRUTH_SECONDS)

    can_judge = which == "redis" or (which == "postgres" and place.token_format == "jwt")
    expected = (200, "degraded") if can_judge else (503, "unready")
    assert (told.status_code, told.json()["status"]) == expected
    assert healthy.status_code == 200
    assert max(lost, returned) < TRUTH_SECONDS


@pytest.mark.demand("F-10")
def test_a_restart_of_everything_revives_nothing(place: Place) -> None:
    server, crowd = place.server, place.crowd
    kept, rotated, ended, revoked = (crowd.login(server) for _ in range(4))
    second = place.refresh(rotated["refresh_token"]).json()
    third = place.refresh(second["refresh_token"]).json()
    assert server.http.post("/logout", headers=_bearer(ended["access_token"])).status_code == 204
    form = {"token": revoked["access_token"], "client_id": "public"}
    assert server.http.post("/revoke", data=form).status_code == 200
    with Redis.from_url(place.redis.url()) as redis:
        redis.flushall()
        redis.save()  # what Redis will come back with: nothing

    place.restart()

    assert place.verify(kept["access_token"]) == 200
    assert place.verify(ended["access_token"]) == 401
    assert place.verify(revoked["access_token"]) == 401
    assert place.verify(third["access_token"]) == 200
    old = place.refresh(rotated["refresh_token"])
    assert (old.status_code, old.json()["error"]) == (400, "invalid_grant")
    # It was a replay, so its session is over.
    assert place.refresh(third["refresh_token"]).status_code == 400
    assert place.verify(third["access_token"]) == 401
    assert place.refresh(ended["refresh_token"]).status_code == 400
    assert place.refresh(kept["refresh_token"]).status_code == 200


@pytest.mark.demand("F-14")
@pytest.mark.parametrize("form", ["access_token", "refresh_token"])
def test_a_logout_that_was_answered_while_redis_was_away_holds_when_it_is_back(
    place: Place, form: str
) -> None:
    tokens = place.crowd.login(place.server)
    with Redis.from_url(place.redis.url()) as redis:
        redis.save()  # it comes back with what it knew before the logout
    place.redis.kill()

    if form == "access_token":
        answer = place.server.http.post("/logout", headers=_bearer(tokens[form]))
    else:
        answer = place.server.http.post("/logout", data={form: tokens[form]})
    during = place.verify(tokens["access_token"])
    place.redis.start()
    _wait(lambda: place.ready()["status"] == "ready", 20)

    assert answer.status_code == 204
    assert (during, place.verify(tokens["access_token"])) == (401, 401)
    assert place.crowd.introspect(place.server, tokens["access_token"]) == {"active": False}
    assert place.refresh(tokens["refresh_token"]).status_code == 400
