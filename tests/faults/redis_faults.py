"""What can happen to Redis, and to the way there. Postgres stays, so every check is answered throughout."""

import time
from collections.abc import Sequence

from redis import Redis

from tests.faults.instance import Instance
from tests.faults.record import Span, now
from tests.faults.scene import Scene
from tests.fixtures.redis import RedisServer

FLUSHES = 3
# Long enough for some ends that the replica does not hear of.
MISSED_SECONDS = 0.8
# How long an instance that waited for Redis in vain does not try it again, which is P6's moment.
GIVEN_UP_SECONDS = 0.4
# How long after a failover P6 calls the primary just changed.
JUST_CHANGED_SECONDS = 2.0
SYNC_SECONDS = 20


def flushed(scene: Scene) -> None:
    """FLUSHALL, three times."""
    with scene.notes.span("checks answered"), _client(scene.world.redis) as redis:
        for _ in range(FLUSHES):
            redis.flushall()
            scene.hold(1 / FLUSHES)


def killed_and_started_empty(scene: Scene) -> None:
    """SIGKILL, and a start without what it held."""
    with scene.notes.span("checks answered", "redis unwritable"):
        scene.world.redis.kill()
        scene.hold()
        scene.world.redis.start(empty=True)


def started_from_an_old_snapshot(scene: Scene) -> None:
    """SIGKILL, and a start from a snapshot made before the last ends."""
    with scene.notes.span("checks answered"):
        with _client(scene.world.redis) as redis:
            redis.save()
        scene.hold(0.5)
        with scene.notes.span("redis unwritable"):
            scene.world.redis.kill()
            scene.hold(0.5)
            scene.world.redis.start()


def stopped(scene: Scene) -> None:
    """Stopped in order, and started again."""
    with scene.notes.span("checks answered", "redis unwritable"):
        scene.world.redis.stop()
        scene.hold()
        scene.world.redis.start(empty=True)


def frozen(scene: Scene) -> None:
    """SIGSTOP: it takes connections and answers nothing, then goes on as if nothing had been."""
    with scene.notes.span("checks answered", "redis unwritable"):
        scene.world.redis.freeze()
        scene.hold()
        scene.world.redis.thaw()
        time.sleep(GIVEN_UP_SECONDS)


def one_instance_cut_off(scene: Scene) -> None:
    """Instance a cannot reach Redis, instance b can."""
    with scene.notes.span("checks answered", "redis unwritable"):
        for instance in scene.world.instances("a"):
            instance.redis.cut()
        scene.hold()
        for instance in scene.world.instances("a"):
            instance.redis.mend()
        time.sleep(GIVEN_UP_SECONDS)


def two_primaries(scene: Scene) -> None:
    """Instance a sees one primary and instance b another, each of them written to; then both the first."""
    world = scene.world
    with scene.notes.span("checks answered", "redis unwritable"):
        _lead_away(world.instances("b"), world.replica)
        scene.hold()
        _lead_away(world.instances("b"), world.redis)
        for instance in world.every_instance():
            instance.wait_until_ready()


def _lead_away(instances: Sequence[Instance], server: RedisServer) -> None:
    for instance in instances:
        instance.redis.lead_to(server.port)
        instance.redis.drop()


def failed_over_and_back(scene: Scene) -> None:
    """To a replica that missed the last writes, and back to the old primary, which missed all since.

    Neither ever stops. Each time the connections of one instance break, and the other's stay where they were.
    """
    world = scene.world
    with scene.notes.span("checks answered"):
        _replicate(scene)
        world.replication.cut()
        time.sleep(MISSED_SECONDS)
        with _client(world.replica) as replica:
            replica.replicaof("NO", "ONE")
        _lead_to(scene, world.replica, breaking="a")
        scene.hold()
        _lead_to(scene, world.redis, breaking="b")
        time.sleep(JUST_CHANGED_SECONDS)
    for instance in world.every_instance():
        instance.redis.drop()
    world.replication.drop()
    world.replication.mend()


def _replicate(scene: Scene) -> None:
    """Return when the replica holds what the primary holds."""
    with _client(scene.world.replica) as replica:
        replica.replicaof("127.0.0.1", scene.world.replication.port)
        deadline = time.monotonic() + SYNC_SECONDS
        while replica.info("replication")["master_link_status"] != "up":
            if time.monotonic() > deadline:
                raise TimeoutError(f"the replica had no copy after {SYNC_SECONDS} s")
            time.sleep(0.05)


def _lead_to(scene: Scene, server: RedisServer, *, breaking: str) -> None:
    """Move the address of Redis to *server*."""
    moved = now()
    for instance in scene.world.every_instance():
        instance.redis.lead_to(server.port)
    for instance in scene.world.instances(breaking):
        instance.redis.drop()
    scene.notes.add(Span("redis unwritable", moved, moved + JUST_CHANGED_SECONDS))


def _client(server: RedisServer) -> Redis:
    return Redis.from_url(server.url())
