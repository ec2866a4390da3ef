"""What can happen to Postgres, alone and together with Redis."""

import time

from tests.faults.redis_faults import GIVEN_UP_SECONDS
from tests.faults.scene import Scene

# From the return of one store to the loss of the other: time to notice the return.
BETWEEN_SECONDS = 2.0


def killed(scene: Scene) -> None:
    """SIGKILL, and a start with what was committed. JWTs are judged meanwhile."""
    with scene.notes.span("database away", "jwt checks answered"):
        _kill_for_a_while(scene)


def frozen(scene: Scene) -> None:
    """SIGSTOP: it takes connections and answers nothing, then finishes what it was doing."""
    with scene.notes.span("database away", "jwt checks answered"):
        scene.world.postgres.freeze()
        scene.hold()
        scene.world.postgres.thaw()


def restored(scene: Scene) -> None:
    """Put back to what it was some time ago."""
    with scene.notes.span("lost writes"):
        scene.world.postgres.back_up()
        scene.hold()
        with scene.notes.span("database away"):
            scene.world.postgres.kill()
            with scene.notes.span("database dead"):
                scene.world.postgres.restore()
            scene.world.postgres.start()


def both_away(scene: Scene) -> None:
    """Postgres and Redis, killed together and started together."""
    with scene.notes.span("database away", "redis unwritable"):
        scene.world.redis.kill()
        _kill_for_a_while(scene)
        scene.world.redis.start(empty=True)


def away_in_turn(scene: Scene) -> None:
    """First Redis is frozen; soon after it is back, Postgres is killed."""
    with scene.notes.span("checks answered", "redis unwritable"):
        scene.world.redis.freeze()
        scene.hold(0.5)
        scene.world.redis.thaw()
        time.sleep(GIVEN_UP_SECONDS)
    time.sleep(BETWEEN_SECONDS)
    with scene.notes.span("database away", "jwt checks answered"):
        _kill_for_a_while(scene, 0.5)


def _kill_for_a_while(scene: Scene, part: float = 1.0) -> None:
    scene.world.postgres.kill()
    with scene.notes.span("database dead"):
        scene.hold(part)
    scene.world.postgres.start()
