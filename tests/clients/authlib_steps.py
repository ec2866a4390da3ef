"""Authlib, as published, against a running authsvc.

By hand: `python -m tests.clients.authlib_steps URL jwt|opaque`.
"""

import sys
import traceback

from tests.clients import authlib_client, authlib_resource_server
from tests.clients.authlib_service import Service


def main(url: str, token_format: str) -> int:
    """Run every step, print a line of TAP for each, and return how many were red."""
    service = Service(url)
    steps = [*authlib_client.STEPS, *authlib_resource_server.STEPS]
    if token_format == "jwt":
        steps += authlib_resource_server.JWT_STEPS
    red = 0
    for number, step in enumerate(steps, start=1):
        name = step.__name__.replace("_", " ")
        try:
            step(service)
        except Exception:  # noqa: BLE001 - whatever a client raises makes this step red, and the rest still run
            red += 1
            print(f"not ok {number} - {name}\n{traceback.format_exc()}")
        else:
            print(f"ok {number} - {name}")
    return red


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:3]), 1))
