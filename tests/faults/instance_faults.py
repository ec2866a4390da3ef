"""What can happen to one instance of two, and to the clock of its host."""

from tests.faults.scene import Scene

OFF_SECONDS = 30


def killed(scene: Scene) -> None:
    """SIGKILL, and a start some time later."""
    with scene.notes.span("instance killed", of="a"):
        for instance in scene.world.instances("a"):
            instance.kill()
        scene.hold()
        for instance in scene.world.instances("a"):
            instance.start()
        for instance in scene.world.instances("a"):
            instance.wait()


def terminated(scene: Scene) -> None:
    """SIGTERM under load: what was accepted is finished, and it starts anew."""
    for pair in scene.world.pairs:
        scene.redeploy(pair, "a")
    scene.hold()


def clock_off(scene: Scene) -> None:
    """Half a minute ahead, then half a minute behind, then right."""
    for seconds in (OFF_SECONDS, -OFF_SECONDS):
        for pair in scene.world.pairs:
            scene.redeploy(pair, "a", clock_off_by=seconds)
        scene.hold(0.5)
    for pair in scene.world.pairs:
        scene.redeploy(pair, "a")
