"""The steps of a Python client, each reported in a line of TAP: `python -m tests.clients.steps MODULE…`."""

import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module

from tests.clients.seen_service import SeenService

Step = Callable[[SeenService], None]


class Steps:
    """What a module tries, in its order; a step's name is a sentence about the service."""

    def __init__(self) -> None:
        self.named: list[tuple[str, Step]] = []

    def __call__(self, step: Step) -> Step:
        """Add *step*, as its decorator."""
        self.add(step.__name__.replace("_", " "), step)
        return step

    def add(self, name: str, step: Step) -> None:
        """Add *step* under a name that is not its own, because it is taken in more than one way."""
        self.named.append((name, step))


def raises(kind: type[Exception], request: Callable[[], object]) -> bool:
    """Whether *request* raises *kind*."""
    try:
        request()
    except kind:
        return True
    return False


def main(modules: list[str]) -> int:
    """Take the `steps` of every module, its `jwt_steps` only for JWTs; return 1 if any was red."""
    collections = ["steps", "jwt_steps"] if os.environ["AUTHSVC_TOKEN_FORMAT"] == "jwt" else ["steps"]
    loaded = [import_module(f"tests.clients.{module}") for module in modules]
    found = [getattr(module, name, Steps()) for module in loaded for name in collections]
    service = SeenService()
    red = 0
    for number, (name, step) in enumerate((step for steps in found for step in steps.named), start=1):
        try:
            step(service)
        except Exception:  # noqa: BLE001 - whatever a client raises makes this step red, and the rest still run
            red += 1
            print(f"not ok {number} - {name}\n{traceback.format_exc()}")
        else:
            print(f"ok {number} - {name}")
    return min(red, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
