"""What each way of checking a token costs, stores, and does when something changes or dies."""

import time
from statistics import median

from benchmarks import cores
from benchmarks.side import HERE
from benchmarks.sizes import look
from benchmarks.ways import JWT, LOCAL, OPAQUE, Checks, Way, open_ways
from benchmarks.world import World

SHORT_LIFE = 10
"""Seconds that a token lives where a logout is to be seen by its end."""

_SESSIONS = 1_000
_AWAY_SECONDS = 2.0
_READY_SECONDS = 30

Told = dict[str, str | float]
"""What is known of one way."""


def costs(world: World, *, rounds: int, seconds: float) -> dict[str, Told]:
    """Return the cost of one check: µs of CPU here and there, latencies, bytes; medians of *rounds*."""
    with open_ways(world) as ways:
        tokens = {name: way.service.tokens(1)[0] for name, way in ways.items()}
        seen: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                seen[name].append(_weigh(world, way, tokens[name], seconds))
        told: dict[str, Told] = {}
        for name, each in seen.items():
            told[name] = {figure: median(one[figure] for one in each) for figure in each[0]}
            told[name]["token bytes"] = len(tokens[name])
    return told


def _weigh(world: World, way: Way, token: str, seconds: float) -> dict[str, float]:
    pids = (way.service.pid, *world.store_pids)
    used = cores.cpu_seconds(*pids)
    checks = way.check(token, seconds)
    used = cores.cpu_seconds(*pids) - used
    if checks.outcomes.keys() != {"active"}:
        raise AssertionError(f"A live token was called {checks.outcomes}")
    return {
        "CPU µs of the consumer": checks.cpu * 1e6,
        # What a service does by itself, without being asked, is not the check's.
        "CPU µs of authsvc and its stores": used / checks.checks * 1e6 if way.asks else 0.0,
        "p50 µs": checks.p50 * 1e6,
        "p99 µs": checks.p99 * 1e6,
        "bytes of a check": checks.wire,
    }


def growth(world: World) -> dict[str, Told]:
    """Return rows and bytes in Postgres of one session."""
    told: dict[str, Told] = {}
    for token_format, names in (("jwt", (LOCAL, JWT)), ("opaque", (OPAQUE,))):
        with world.serving(HERE, token_format) as service:
            stores = service.settings["AUTHSVC_DATABASE_URL"], service.settings["AUTHSVC_REDIS_URL"]
            service.tokens(1)
            before = look(*stores)
            service.tokens(_SESSIONS)
            grown = look(*stores).since(before)
        for name in names:
            told[name] = {
                "rows of a session": sum(grown.rows.values()) / _SESSIONS,
                "bytes of a session": grown.bytes / _SESSIONS,
            }
    return told


def revocation(world: World) -> dict[str, Told]:
    """Return how long after a logout its token is still taken for live, where it lives SHORT_LIFE."""
    with open_ways(world, life=str(SHORT_LIFE)) as ways:
        return {name: {"logout seen after s": way.seconds_until_seen()} for name, way in ways.items()}


def stores_away(world: World) -> dict[str, Told]:
    """Return what each way says while Redis, Postgres, and both are stopped."""
    with open_ways(world) as ways:
        tokens = {name: way.service.tokens(2) for name, way in ways.items()}
        for name, way in ways.items():
            revoke = {"token": tokens[name][1], "client_id": "public"}
            way.service.server.http.post("/revoke", data=revoke).raise_for_status()
        told: dict[str, Told] = {name: {} for name in ways}

        def note(what: str) -> None:
            for name, way in ways.items():
                live, revoked = (way.check(token, _AWAY_SECONDS) for token in tokens[name])
                told[name][what] = _words(live, revoked)

        def use() -> None:
            """Ask once: what is remembered of callers is of the time since the denylist was last loaded."""
            for name, way in ways.items():
                for token in tokens[name]:
                    way.check(token, 0)

        use()
        world.redis.stop()
        note("Redis away")
        world.redis.start()
        for way in ways.values():
            _wait_until_ready(way)
        use()
        world.postgres.stop()
        note("Postgres away")
        world.redis.stop()
        note("both away")
    return told


def _wait_until_ready(way: Way) -> None:
    """Wait until a service has loaded the denylist into the Redis that came back empty."""
    deadline = time.monotonic() + _READY_SECONDS
    while way.service.server.http.get("/readyz").json()["status"] != "ready":
        if time.monotonic() > deadline:
            raise AssertionError("Redis is back, and the service does not say so.")
        time.sleep(0.1)


def _words(live: Checks, revoked: Checks) -> str:
    """Say what was answered about a live and about a revoked token."""
    if live.outcomes.keys() == {"503"} == revoked.outcomes.keys():
        return f"503, within {max(live.longest, revoked.longest):.1f} s"
    if live.outcomes.keys() != {"active"}:
        return f"about a live token: {_counted(live)}; about a revoked one: {_counted(revoked)}"
    knows = {"inactive": "right", "active": "as before, revoked or not"}
    said = knows.get(next(iter(revoked.outcomes)), "") if len(revoked.outcomes) == 1 else ""
    return f"{said or f'about a revoked token: {_counted(revoked)}'}, p50 {live.p50 * 1e3:.2g} ms"


def _counted(checks: Checks) -> str:
    return ", ".join(f"{count} times {outcome}" for outcome, count in checks.outcomes.items())
