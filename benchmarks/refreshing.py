"""Refreshes by 8 clients, each with the refresh token of its last answer; every one is a durable commit."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.loading import Requests
from benchmarks.measured import Measured
from benchmarks.side import Side
from benchmarks.weighing import Scale
from benchmarks.work import Figures, Length, Line, Sampler, Work, at_least, at_most
from benchmarks.world import World, echoing

CHAINS = 8


def chains(world: World, service: Measured, most: int | None = None) -> Requests:
    """Log in CHAINS times; return the refreshes that begin there."""
    tokens = [service.log_in()["refresh_token"] for _ in range(CHAINS)]
    requests = [service.refresh(token) for token in tokens]
    return world.loader.write(requests, expected='"refresh_token":"', most=most, are_chains=True)


@contextmanager
def _refresh(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    scale = Scale(world, length.seconds)
    with world.serving(side, "jwt") as jwt, world.serving(side, "opaque") as opaque:
        services = {"jwt": jwt, "opaque": opaque}
        asked = {name: chains(world, service) for name, service in services.items()}
        example = jwt.server.http.post("/refresh", data={"refresh_token": jwt.log_in()["refresh_token"]})
        echoed = chains(world, jwt)
        with echoing(example.raise_for_status()) as echo:

            def sample() -> Figures:
                figures: Figures = {}
                reference = scale.echo(echo, echoed, connections=CHAINS)
                figures["echo: rate"] = reference.rate
                for name, service in services.items():
                    seen = scale.service("refresh", service, asked[name], connections=CHAINS)
                    figures[f"{name} / echo: rate"] = seen.rate / reference.rate
                    figures[f"{name}: CPU µs"] = seen.cpu
                    figures[f"{name}: CPU µs of the service alone"] = seen.own_cpu
                    figures[f"{name}: rate"] = seen.rate
                    figures[f"{name}: p50 ms"] = seen.load.p50 * 1e3
                return figures

            yield sample


def _lines(name: str) -> tuple[Line, ...]:
    work = f"refresh ({name}), durable, 8 chains"
    return (
        Line(
            f"{name} / echo: rate",
            work,
            "rate / echo",
            at_least(0.08),
            "0.11 / 0.06, not durable; 0.008",
            0.11,
        ),
        Line(f"{name}: CPU µs", work, "µs of CPU, with the stores", at_most(600)),
    )


WORKS = (Work("refresh", _refresh, _lines("jwt") + _lines("opaque"), lambda length: 3 * length.seconds),)
