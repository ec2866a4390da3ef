"""Checks of tokens over 32 connections, against the bare application that answers the same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from benchmarks.loading import Requests
from benchmarks.measured import ACTIVE, INACTIVE, Measured
from benchmarks.minting import damaged, strangers
from benchmarks.side import Side
from benchmarks.weighing import Scale, Weighed
from benchmarks.work import Figures, Length, Line, Sampler, Work, at_least, at_most
from benchmarks.world import World, echoing

MANY_OF_ONE = 10
"""Tokens of each session, where there are many: to store fewer sessions."""

_DAMAGED = 2_000
_PER_SESSION = 100
"""Of new JWTs, so that they are minted quickly: each is a text that was never seen, with an id of its own."""


@contextmanager
def _jwt(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    with world.serving(side, "jwt") as service:
        live, revoked = service.tokens(2)
        _revoke(service, revoked)
        kinds = {
            "live": _asking(world, service, live),
            "many": _asking(world, service, *service.tokens(length.tokens, per_session=MANY_OF_ONE)),
            "revoked": _asking(world, service, revoked, expected=INACTIVE),
            "stranger": _asking(world, service, strangers(live), expected=INACTIVE),
            "verify": _verifying(world, service, live),
        }
        with _sampling(world, service, live, kinds, length) as sample:
            yield sample


@contextmanager
def _opaque(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    with world.serving(side, "opaque") as service:
        live, revoked = service.tokens(2)
        many = service.tokens(length.tokens, per_session=MANY_OF_ONE)
        _revoke(service, revoked)
        made_up = live[:-20] + ("A" if live[-20] != "A" else "B") + live[-19:]
        kinds = {
            "live": _asking(world, service, live),
            "many": _asking(world, service, *many),
            "revoked": _asking(world, service, revoked, expected=INACTIVE),
            "made up": _asking(world, service, made_up, expected=INACTIVE),
            "verify": _verifying(world, service, live),
        }
        with _sampling(world, service, live, kinds, length) as sample:
            yield sample


@contextmanager
def _sampling(
    world: World, service: Measured, live: str, kinds: dict[str, Requests], length: Length
) -> Iterator[Sampler]:
    """Yield what measures all kinds of requests after the echo of the live one."""
    world.loader.run(service.port, kinds["many"], connections=32, seconds=60).check("many")
    scale = Scale(world, length.seconds)
    with echoing(service.introspect(live)) as echo:
        order = ["echo", *kinds]

        def sample() -> Figures:
            # What comes next to what differs from round to round: the machine is another every few seconds.
            order.reverse()
            seen = {
                name: scale.echo(echo, kinds["live"])
                if name == "echo"
                else scale.service(name, service, kinds[name])
                for name in order
            }
            reference = seen["echo"]
            figures = _against_echo("live", seen["live"], reference)
            for name in kinds.keys() - {"live"}:
                figures[f"{name}: rate"] = seen[name].rate
                figures[f"{name}: CPU µs"] = seen[name].cpu
                figures[f"{name} / live: rate"] = seen[name].rate / seen["live"].rate
            return figures

        yield sample


@contextmanager
def _new(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    """JWTs that the service has never seen: every one of them is asked about once."""
    scale = Scale(world, length.seconds)
    with world.serving(side, "jwt") as service:
        (live,) = service.tokens(1)
        same = _asking(world, service, live)
        wrong = [damaged(token) for token in service.tokens(_DAMAGED, per_session=_PER_SESSION)]
        forged = _asking(world, service, *wrong, expected=INACTIVE)
        with echoing(service.introspect(live)) as echo:

            def sample() -> Figures:
                reference = scale.echo(echo, same)
                again = scale.service("live", service, same)
                # More than it can answer in the time; were it all, the load would end earlier.
                fresh = service.tokens(again.load.answers * 2 // 3, per_session=_PER_SESSION)
                new = scale.service("new", service, _asking(world, service, *fresh, is_once=True))
                bad = scale.service("bad signature", service, forged)
                return _against_echo("new", new, reference) | {
                    "bad signature: rate": bad.rate,
                    "bad signature: CPU µs": bad.cpu,
                    "bad signature / new: rate": bad.rate / new.rate,
                    "bad signature / live: rate": bad.rate / again.rate,
                }

            yield sample


@contextmanager
def _latency(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    """One connection: nothing is shared with anybody, and every wait is seen."""
    scale = Scale(world, length.seconds)
    with world.serving(side, "jwt") as jwt, world.serving(side, "opaque") as opaque:
        services = {"jwt": jwt, "opaque": opaque}
        tokens = {name: service.tokens(1)[0] for name, service in services.items()}
        asking = {name: _asking(world, service, tokens[name]) for name, service in services.items()}
        with (
            echoing(jwt.introspect(tokens["jwt"])) as jwt_echo,
            echoing(opaque.introspect(tokens["opaque"])) as opaque_echo,
        ):

            def sample() -> Figures:
                figures: Figures = {}
                for name, echo in (("jwt", jwt_echo), ("opaque", opaque_echo)):
                    reference = scale.echo(echo, asking[name], connections=1).load.p50
                    seen = scale.service(name, services[name], asking[name], connections=1).load.p50
                    figures[f"{name} / echo: p50"] = seen / reference
                    figures[f"{name}: p50 µs"] = seen * 1e6
                    figures[f"echo of {name}: p50 µs"] = reference * 1e6
                return figures

            yield sample


def _asking(
    world: World, service: Measured, *tokens: str, expected: str = ACTIVE, is_once: bool = False
) -> Requests:
    requests = [service.introspection(token) for token in tokens]
    most = len(requests) if is_once else None
    return world.loader.write(requests, expected=expected, most=most)


def _verifying(world: World, service: Measured, token: str) -> Requests:
    return world.loader.write([service.verification(token)], expected="x-auth-subject: ")


def _revoke(service: Measured, token: str) -> None:
    answer = service.server.http.post("/revoke", data={"token": token, "client_id": "public"})
    answer.raise_for_status()
    _is_inactive(service.introspect(token))


def _is_inactive(answer: httpx.Response) -> None:
    if answer.text != INACTIVE:
        raise AssertionError(f"It was revoked, and the service says {answer.text}")


def _against_echo(name: str, seen: Weighed, echo: Weighed) -> Figures:
    return {
        f"{name} / echo: rate": seen.rate / echo.rate,
        f"{name} / echo: CPU": seen.cpu / echo.cpu,
        f"{name}: rate": seen.rate,
        f"{name}: CPU µs": seen.cpu,
        f"{name}: CPU µs of the service alone": seen.own_cpu,
        f"{name}: p50 ms": seen.load.p50 * 1e3,
        f"{name}: p99 ms": seen.load.p99 * 1e3,
        "echo: rate": echo.rate,
        "echo: CPU µs": echo.cpu,
    }


_OF_LIVE = "rate / a live one's"

WORKS = (
    Work(
        "jwt",
        _jwt,
        (
            Line(
                "live / echo: rate",
                "introspect a live JWT",
                "rate / echo",
                at_least(0.55),
                "0.15 / 0.10; 0.05; 0.01",
                0.15,
            ),
            Line("live / echo: CPU", "introspect a live JWT", "CPU / echo", at_most(2)),
            Line("revoked / live: rate", "a revoked JWT", _OF_LIVE, at_least(1)),
            Line("stranger / live: rate", "a JWT of a stranger's key", _OF_LIVE, at_least(1)),
            Line("verify / live: rate", "`/verify`, JWT", "rate / introspect", at_least(0.9)),
            Line("many / live: rate", "10,000 live JWTs in turn", "rate / one token", at_least(0.9)),
        ),
        seconds=lambda length: 6 * length.seconds,
    ),
    Work(
        "new",
        _new,
        (
            Line("new / echo: rate", "a live JWT never seen before", "rate / echo", at_least(0.24)),
            Line("bad signature / new: rate", "our `kid`, a bad signature", "rate / a new live one's"),
            Line("bad signature / live: rate", "our `kid`, a bad signature", _OF_LIVE, at_least(1)),
        ),
        seconds=lambda length: 5 * length.seconds,
    ),
    Work(
        "opaque",
        _opaque,
        (
            Line(
                "live / echo: rate",
                "introspect a live opaque token",
                "rate / echo",
                at_least(0.5),
                "0.15 / 0.10",
                0.15,
            ),
            Line("live / echo: CPU", "introspect a live opaque token", "CPU / echo", at_most(2.2)),
            Line("revoked / live: rate", "a revoked opaque token", _OF_LIVE, at_least(1)),
            Line("made up / live: rate", "a made-up opaque token", _OF_LIVE, at_least(1)),
            Line("verify / live: rate", "`/verify`, opaque", "rate / introspect", at_least(0.9)),
            Line("many / live: rate", "10,000 live opaque tokens in turn", "rate / one token", at_least(0.9)),
        ),
        seconds=lambda length: 6 * length.seconds,
    ),
    Work(
        "latency",
        _latency,
        (
            Line(
                "jwt / echo: p50",
                "introspect a JWT, 1 connection",
                "p50 / echo",
                at_most(2.6),
                "2.3 / 4.3; 6.3",
            ),
            Line(
                "opaque / echo: p50", "introspect an opaque token, 1 connection", "p50 / echo", at_most(3.2)
            ),
        ),
        seconds=lambda length: 4 * length.seconds,
    ),
)
