"""What logins and refreshes leave behind, counted on stores that nothing else has used."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.loading import Requests
from benchmarks.logging_in import BOTH
from benchmarks.measured import Measured
from benchmarks.refreshing import CHAINS, chains
from benchmarks.side import Side
from benchmarks.sizes import Sizes, look
from benchmarks.work import Figures, Length, Line, Sampler, Work, at_most
from benchmarks.world import World

_LIVE_TOKENS = 32
_PER = 1_000


@contextmanager
def _growth(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    with world.serving(side, "jwt", on=BOTH) as jwt, world.serving(side, "opaque", on=BOTH) as opaque:

        def sample() -> Figures:
            figures: Figures = {}
            for name, service in (("jwt", jwt), ("opaque", opaque)):
                logins = world.loader.write(service.logins(), expected='"access_token":"', most=length.logins)
                grown = _grown(world, service, "login", logins)
                figures |= _figures(f"{name} login", grown, _PER / length.logins)
                # What has a bound is not to be scaled, so that these are as many as the goal says.
                grown = _grown(world, service, "refresh", chains(world, service, most=_PER))
                figures |= _figures(f"{name} refresh", grown, 1)
            return figures

        yield sample


def _grown(world: World, service: Measured, what: str, requests: Requests) -> Sizes:
    stores = service.settings["AUTHSVC_DATABASE_URL"], service.settings["AUTHSVC_REDIS_URL"]
    before = look(*stores)
    world.loader.run(service.port, requests, connections=CHAINS).check(what)
    return look(*stores).since(before)


def _figures(name: str, grown: Sizes, factor: float) -> Figures:
    return {
        f"{name}: rows": sum(grown.rows.values()) * factor,
        f"{name}: KiB": grown.bytes / 1024 * factor,
        f"{name}: keys": grown.keys * factor,
    } | {f"{name}: rows of {table}": count * factor for table, count in grown.rows.items()}


def _lines(name: str, what: str, rows: int, kib: int | None, peers: str) -> tuple[Line, ...]:
    work = f"1,000 {'logins' if what == 'login' else 'refreshes'} ({name})"
    return (
        Line(f"{name} {what}: rows", work, "rows", at_most(rows), peers),
        Line(f"{name} {what}: KiB", work, "KiB in Postgres", None if kib is None else at_most(kib)),
        Line(f"{name} {what}: keys", work, "keys in Redis, but throttling's", at_most(0)),
    )


_PEERS_REFRESH = "2,016 keys; 6,000 rows; 1,000 rows"
_PEERS_LOGIN = "4,000 keys; 6,000 rows"

WORKS = (
    Work(
        "growth",
        _growth,
        (
            *_lines("jwt", "refresh", 0, 50, _PEERS_REFRESH),
            # Each of the sessions may hold so many live access tokens, and began with one.
            *_lines("opaque", "refresh", CHAINS * (_LIVE_TOKENS - 1), None, _PEERS_REFRESH),
            *_lines("jwt", "login", 1_000, 500, _PEERS_LOGIN),
            *_lines("opaque", "login", 2_000, 800, _PEERS_LOGIN),
        ),
        seconds=lambda length: 0.06 * length.logins + 4,
        is_once=True,
    ),
)
