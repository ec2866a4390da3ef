"""A whole world to break: Postgres, Redis and its replica, and for each format two instances over them."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from tests.faults.instance import Instance
from tests.faults.load import Target
from tests.faults.wire_process import WireProcess
from tests.fixtures.command import PREFIX
from tests.fixtures.database import query
from tests.fixtures.installation import SECRET, Installation
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.redis import RedisServer

FORMATS = ("jwt", "opaque")
ACCOUNTS = 2
SETTINGS = {
    "AUTHSVC_SECRET_KEYS": SECRET,
    # Logins whose answer was lost leave sessions that nobody ends; they must not push out those in use.
    "AUTHSVC_SESSIONS_PER_ACCOUNT": "10000",
    # The load and the stores share the machine: hashing that steps back for them would hardly get a turn.
    "AUTHSVC_HASH_NICENESS": "0",
    # And a queue for the two cores of a machine is none of the faults.
    "AUTHSVC_HASH_MAX_WAIT_SECONDS": "0.5",
    # Logins that an instance was killed in count as wrong ones, and all of the load comes from one address.
    "AUTHSVC_GUESSES_PER_ACCOUNT_AND_ADDRESS": "1000000",
    "AUTHSVC_GUESSES_PER_ADDRESS": "1000000",
    # A new signing key takes over as soon as every cache can have it.
    "AUTHSVC_JWKS_MAX_AGE_SECONDS": "1",
}


@dataclass
class Pair:
    """Two instances that issue one format, over a database of their own."""

    token_format: str
    installation: Installation
    instances: dict[str, Instance]
    target: Target

    def deploy(self, name: str, **settings: str) -> None:
        """Change the settings that the instance will start with."""
        instance = self.instances[name]
        instance.installation = instance.installation.having(**settings)


@dataclass(frozen=True)
class World:
    """Everything that a fault can touch."""

    overlap: int
    postgres: PostgresServer
    redis: RedisServer
    replica: RedisServer
    replication: WireProcess
    """The replica's way to the primary."""
    pairs: tuple[Pair, ...]

    def instances(self, name: str) -> list[Instance]:
        """The instances of that name, one for each format."""
        return [pair.instances[name] for pair in self.pairs]

    def every_instance(self) -> list[Instance]:
        return [instance for pair in self.pairs for instance in pair.instances.values()]

    def versions(self) -> str:
        with Redis.from_url(self.redis.url()) as redis:
            found = redis.info("server")["redis_version"]
        (version,) = query(self.postgres.url("postgres"), "SHOW server_version")
        return f"PostgreSQL {version[0]}, Redis {found}"


@contextmanager
def open_world(*, overlap: int, **settings: str) -> Iterator[World]:
    """Make one that lasts as long as the block; *settings* of the service are named without their prefix."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="authsvc-faults-")))
        postgres = PostgresServer()
        opened.callback(postgres.close)
        postgres.start()
        redis, replica = RedisServer(), RedisServer()
        for server in (redis, replica):
            opened.callback(server.close)
            server.start()
        replication = WireProcess(redis.port)
        opened.callback(replication.close)
        pairs = []
        for number, token_format in enumerate(FORMATS):
            postgres.create_database(token_format)
            stated = SETTINGS | {
                "AUTHSVC_DATABASE_URL": postgres.url(token_format),
                "AUTHSVC_TOKEN_FORMAT": token_format,
                "AUTHSVC_REFRESH_OVERLAP_SECONDS": str(overlap),
            }
            stated |= {PREFIX + name: value for name, value in settings.items()}
            pairs.append(_pair(opened, folder / token_format, number, stated, redis))
        world = World(overlap, postgres, redis, replica, replication, tuple(pairs))
        for instance in world.every_instance():
            instance.start()
            opened.callback(instance.stop)
        for instance in world.every_instance():
            instance.wait()
        yield world


def _pair(opened: ExitStack, place: Path, number: int, settings: dict[str, str], redis: RedisServer) -> Pair:
    place.mkdir()
    installation = Installation(settings | {"AUTHSVC_REDIS_URL": redis.url(number)}, place)
    installation.run("db", "upgrade").text()
    usernames = tuple(f"user{number}@example.com" for number in range(ACCOUNTS))
    for username in usernames:
        installation.add_account(username)
    instances = {}
    for name in ("a", "b"):
        wire = WireProcess(redis.port)
        opened.callback(wire.close)
        behind = installation.having(REDIS_URL=f"redis://127.0.0.1:{wire.port}/{number}")
        instances[name] = Instance(name, behind, wire)
    urls = {name: instance.url for name, instance in instances.items()}
    target = Target(urls, installation.add_caller(), usernames)
    return Pair(settings["AUTHSVC_TOKEN_FORMAT"], installation, instances, target)
