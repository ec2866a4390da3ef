"""Changes of keys while the service is used: planned ones, and one in an emergency."""

import time
from datetime import UTC, datetime

from authsvc.secret_tokens import new_client_secret
from tests.faults.scene import Scene

# How long an instance may take to read keys that another process made.
RELOADED_SECONDS = 6.0
# Longer than any client of the load keeps a session beyond its overlap.
SESSION_SECONDS = 8.0


def signing_keys_rotated(scene: Scene) -> None:
    """`keys rotate`: the waiting key takes over as soon as every cache can have it."""
    starts = []
    for pair in scene.world.pairs:
        rotated = pair.installation.run_program("keys", "rotate", "--json").json()
        starts.append(datetime.fromisoformat(rotated["signs_from"]))
    waiting = max(starts) - datetime.now(UTC)
    time.sleep(max(0.0, waiting.total_seconds()) + RELOADED_SECONDS)
    scene.hold()


def signing_key_revoked(scene: Scene) -> None:
    """`keys revoke` of the key that signs: what it signed is dead at once, and nobody is logged out."""
    for pair in scene.world.pairs:
        keys = pair.installation.run_program("keys", "list", "--json").json()
        kid = max((key for key in keys if _signs(key)), key=lambda key: str(key["signs_from"]))["kid"]
        with scene.of(pair).notes.span("key revoked", of=kid):
            pair.installation.run_program("keys", "revoke", kid).text()
    scene.hold()


def secret_keys_rotated(scene: Scene) -> None:
    """A new secret is appended, moved to the front, and alone at last; one instance after the other."""
    old = scene.world.pairs[0].installation.settings["AUTHSVC_SECRET_KEYS"]
    new = new_client_secret()
    _deploy(scene, f"{old},{new}")
    _deploy(scene, f"{new},{old}")
    for pair in scene.world.pairs:
        pair.installation.run_program("keys", "reencrypt").text()
    time.sleep(scene.world.overlap + SESSION_SECONDS)
    _deploy(scene, new)
    scene.hold()


def _deploy(scene: Scene, secrets: str) -> None:
    for pair in scene.world.pairs:
        pair.installation = pair.installation.having(SECRET_KEYS=secrets)
    for name in ("a", "b"):
        for pair in scene.world.pairs:
            scene.redeploy(pair, name, SECRET_KEYS=secrets)


def _signs(key: dict[str, object]) -> bool:
    starts = key["signs_from"]
    if not isinstance(starts, str) or key["revoked_at"] is not None:
        return False
    return datetime.fromisoformat(starts) <= datetime.now(UTC)
