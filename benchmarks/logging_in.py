"""Logins, against nothing but their hash; and what they leave of introspection when they come in a storm."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import cores
from benchmarks.loading import Load, Loader, Requests
from benchmarks.measured import ACTIVE, Measured
from benchmarks.raw_hashes import RawHashes, default_of
from benchmarks.side import Side
from benchmarks.weighing import CONNECTIONS, Scale
from benchmarks.work import Figures, Length, Line, Sampler, Work, at_least, at_most
from benchmarks.world import Echo, World, echoing

_LOGINS_AT_A_TIME = 8
_LEAD_SECONDS = 0.5
_ISSUED = '"access_token":"'
BOTH = (cores.SERVICE, cores.OTHERS)


@contextmanager
def _hashing(*places: Iterable[int], niceness: int = 0) -> Iterator[RawHashes]:
    hashes = RawHashes(*places, niceness=niceness)
    try:
        yield hashes
    finally:
        hashes.close()


@contextmanager
def _login(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    scale = Scale(world, 1.5 * length.seconds)
    with (
        _hashing() as hashes,
        _hashing([cores.SERVICE], [cores.OTHERS]) as hashes_on_both,
        world.serving(side, "jwt") as one,
        world.serving(side, "jwt", on=BOTH) as two,
    ):
        to_one, to_two = (world.loader.write(service.logins(), expected=_ISSUED) for service in (one, two))

        def sample() -> Figures:
            raw, raw_on_both = (one.per_cpu_second(scale.seconds) for one in (hashes, hashes_on_both))
            on_one = scale.service("login", one, to_one, connections=_LOGINS_AT_A_TIME)
            on_two = scale.service("login", two, to_two, connections=_LOGINS_AT_A_TIME)
            return {
                "one core / raw: rate": on_one.rate / raw,
                "one core / raw: CPU": 1e6 / on_one.own_cpu / raw,
                "two cores / one": on_two.rate / on_one.rate,
                "raw: two cores / one": 2 * raw_on_both / raw,
                "one core: rate": on_one.rate,
                "two cores: rate": on_two.rate,
                "raw: hashes per CPU second": raw,
                "one core: CPU ms": on_one.own_cpu / 1e3,
                "one core: CPU ms with the stores": on_one.cpu / 1e3,
            }

        yield sample


@contextmanager
def _storm(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    with (
        _hashing() as hashes,
        _hashing(BOTH, niceness=default_of("hash_niceness")) as hashes_behind,
        world.serving(side, "jwt", on=BOTH) as jwt,
        world.serving(side, "opaque", on=BOTH) as opaque,
        _loading(world) as asking,
        _loading(world) as logging_in,
    ):
        storms = [
            # Twice as long: there are no more than some fifty logins in one.
            (name, _Storm(world, service, asking, logging_in, 2 * length.seconds))
            for name, service in (("jwt", jwt), ("opaque", opaque))
        ]
        (token,) = jwt.tokens(1)
        with echoing(jwt.introspect(token), on=BOTH) as echo:
            beside = _EchoBesideHashes(
                world, jwt.introspection(token), echo, asking, hashes_behind, length.seconds
            )

            def sample() -> Figures:
                raw = hashes.per_cpu_second(length.seconds)
                figures = {"raw: hashes per CPU second": raw, "echo: kept": beside.kept()}
                for name, storm in storms:
                    seen = storm.blow()
                    seen["logins / raw"] = seen["logins a second"] / raw
                    figures |= {f"{name}: {figure}": value for figure, value in seen.items()}
                return figures

            yield sample


@contextmanager
def _loading(world: World) -> Iterator[Loader]:
    loader = Loader(world.folder, BOTH)
    try:
        yield loader
    finally:
        loader.close()


@dataclass(frozen=True)
class _Asking:
    """A load that asks one question of one server, over and over for *seconds*."""

    loader: Loader
    port: int
    questions: Requests
    seconds: float

    def ask(self, name: str) -> Load:
        """Return what it saw; every answer must be right."""
        return self.loader.run(
            self.port, self.questions, connections=CONNECTIONS, seconds=self.seconds
        ).check(name)


class _Storm:
    """Introspection by one load, in quiet and while another logs in without pause."""

    def __init__(
        self, world: World, service: Measured, asking: Loader, logging_in: Loader, seconds: float
    ) -> None:
        (token,) = service.tokens(1)
        questions = world.loader.write([service.introspection(token)], expected=ACTIVE)
        self._asking = _Asking(asking, service.port, questions, seconds)
        self._logging_in = logging_in
        self._logins = world.loader.write(service.logins(), expected=_ISSUED)

    def blow(self) -> Figures:
        """Ask in quiet, then in the storm, which begins before and ends after; logins count in between."""
        loads = self._asking.loader.pid, self._logging_in.pid
        quiet = self._asking.ask("introspect")
        used = cores.cpu_seconds(*loads)
        whole = self._asking.seconds + 2 * _LEAD_SECONDS
        self._logging_in.begin(
            self._asking.port, self._logins, connections=CONNECTIONS, seconds=whole, lead=_LEAD_SECONDS
        )
        time.sleep(_LEAD_SECONDS)
        stormy = self._asking.ask("introspect in the storm")
        logins = self._logging_in.end().check("login in the storm", "200", "503")
        used = cores.cpu_seconds(*loads) - used
        return {
            "kept": stormy.rate / quiet.rate,
            "p99 / allowed": stormy.p99 / (1.5 * quiet.p99 + 0.002),
            "quiet rate": quiet.rate,
            "rate in the storm": stormy.rate,
            "quiet p99 ms": quiet.p99 * 1e3,
            "p99 ms in the storm": stormy.p99 * 1e3,
            "logins a second": logins.in_time.get("200", 0) / self._asking.seconds,
            "logins refused with 503 a second": logins.in_time.get("503", 0) / self._asking.seconds,
            "cores used by the load": used / whole,
        }


class _EchoBesideHashes:
    """What the machine leaves of echo, while nothing but hashes run behind it at the priority of ours."""

    def __init__(
        self, world: World, question: bytes, echo: Echo, asking: Loader, hashes: RawHashes, seconds: float
    ) -> None:
        questions = world.loader.write([question], expected=ACTIVE)
        self._asking = _Asking(asking, echo.port, questions, seconds)
        self._hashes = hashes

    def kept(self) -> float:
        """Return which part of its quiet rate echo keeps."""
        quiet = self._asking.ask("echo")
        with self._hashes.busy(self._asking.seconds + 2 * _LEAD_SECONDS):
            time.sleep(_LEAD_SECONDS)
            behind = self._asking.ask("echo beside hashes")
        return behind.rate / quiet.rate


def _storm_lines(name: str, title: str) -> tuple[Line, ...]:
    work = f"introspect {title} while 32 connections log in"
    return (
        Line(f"{name}: kept", work, "rate / quiet", at_least(0.8), "0.14 to 0.18; 0.41", 0.41),
        Line(f"{name}: p99 / allowed", work, "p99 / (1.5 quiet + 2 ms)", at_most(1)),
        Line(f"{name}: logins / raw", work, "logins / raw hashes of one core", at_least(0.5)),
        Line(f"{name}: cores used by the load", work, "cores that the load itself used"),
    )


WORKS = (
    Work(
        "login",
        _login,
        (
            Line("one core / raw: rate", "login, one core", "rate / raw hashes", at_least(0.95), "1.0", 1.0),
            Line(
                "one core / raw: CPU", "login, one core", "per CPU second / raw hashes", at_least(0.95), "1.0"
            ),
            Line("two cores / one", "login, two cores", "rate / one core's", at_least(1.8)),
            Line("raw: two cores / one", "raw hashes, two cores", "rate / one core's"),
        ),
        seconds=lambda length: 6 * length.seconds + 1,
    ),
    Work(
        "storm",
        _storm,
        (
            Line("echo: kept", "echo, while nothing but hashes run behind it", "rate / quiet"),
            *_storm_lines("jwt", "a JWT"),
            *_storm_lines("opaque", "an opaque token"),
        ),
        seconds=lambda length: 11 * length.seconds + 7,
    ),
)
