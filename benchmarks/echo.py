"""The reference: a bare ASGI application under uvicorn, which reads the request and answers fixed bytes.

Run as a program: the port is the argument, the answer's headers and body come as JSON on standard input.
"""

import json
import sys

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send


def application(headers: list[tuple[bytes, bytes]], body: bytes) -> ASGIApp:
    """Return what answers with 200, *headers* and *body*."""

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return echo


def main() -> None:
    """Serve until it is told to stop."""
    answer = json.load(sys.stdin)
    headers = [(name.encode(), value.encode()) for name, value in answer["headers"]]
    uvicorn.run(
        application(headers, answer["body"].encode()),
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
    )


if __name__ == "__main__":
    main()
