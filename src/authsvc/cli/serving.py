"""`authsvc dev` and `authsvc serve`: the server."""

import asyncio
import atexit
import os
import shutil
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from authsvc.app import create_app, hsts_seconds
from authsvc.cli import demo, open_files
from authsvc.cli.alone import open_checked, serve_alone
from authsvc.cli.connection_bounds import Connections
from authsvc.cli.glancing import GlancingConnection
from authsvc.cli.listening import LAST_PORT, refuse_taken_port
from authsvc.cli.workers import Workers
from authsvc.demo_credentials import DEMO_PASSWORD, DEMO_USERNAME
from authsvc.endpoints.middleware import headers_of_refusals
from authsvc.environment import load_settings
from authsvc.errors import OperatorError
from authsvc.logs import configure_logs
from authsvc.metrics import MULTIPROCESS_FOLDER
from authsvc.opening import open_services
from authsvc.secret_tokens import new_client_secret
from authsvc.settings import PREFIX, Settings
from authsvc.storage import migrations
from authsvc.urls import is_loopback_host
from authsvc.wiring import build_stores

_BYTES_OF_A_WORKER = 2**20
Port = Annotated[int, typer.Option("--port", min=1, max=LAST_PORT, help="The port to listen at.")]

_LAST_MOMENT = 5
"""How long beyond its own bound a worker may take to close its stores."""

_WORKER_START_SECONDS = 30
"""How long a worker may take to be up. The library ends one after 5 s, on a busy machine again and again."""

_OF_PRODUCTION = ("DATABASE_URL", "REDIS_URL")


def dev(
    *,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; loopback only.")
    ] = "127.0.0.1",
    port: Port = 8000,
) -> None:
    """Start everything on an embedded database, with a demo account whose password is published.

    Data is kept in ./.authsvc (AUTHSVC_DATA_DIR); delete that folder to start afresh.

    Example: `authsvc dev --port 9000`
    """
    if not is_loopback_host(host):
        raise OperatorError(
            f"`authsvc dev` has a published password and so serves loopback only, not {host}. "
            "For other machines use: authsvc serve"
        )
    _end_in_order()
    refuse_taken_port(host, port)
    settings = _dev_settings(host, port)
    configure_logs(settings.log_format, settings.log_level)
    asyncio.run(_prepare_dev(settings))
    base = _address(host, port)  # the issuer may be a name that only others can reach
    typer.echo(
        f"\nauthsvc is starting at {base} (try it in a browser: {base}/docs)\n"
        f"Demo account: {DEMO_USERNAME} / {DEMO_PASSWORD}\n\n"
        "Log in, ask who you are, introspect as a service does, log out; paste into another terminal:\n\n"
        f"{demo.curl_lines(base)}\n"
    )
    uvicorn.run(create_app(settings), **_options(settings, host, port))


def _dev_settings(host: str, port: int) -> Settings:
    for name in _OF_PRODUCTION:
        if os.environ.get(PREFIX + name):  # noqa: TID251 - before there are settings
            raise OperatorError(
                f"{PREFIX}{name} is set, and `authsvc dev` uses only a database of its own. "
                f"Unset it, or start the real thing: authsvc serve"
            )
    folder = Path(os.environ.get(f"{PREFIX}DATA_DIR") or "./.authsvc").absolute()  # noqa: TID251 - before there are settings
    overrides: dict[str, object] = {
        "database_url": f"sqlite+aiosqlite:///{folder / 'authsvc.db'}".replace("%", "%25"),
    }
    defaults = {
        "secret_keys": _kept_secret(folder),
        "issuer": _address(host, port),
        "log_format": "console",
    }
    # What the environment says of these wins.
    overrides |= {
        name: value
        for name, value in defaults.items()
        if not os.environ.get(PREFIX + name.upper())  # noqa: TID251 - before there are settings
    }
    return load_settings(**overrides)


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _kept_secret(folder: Path) -> str:
    def refusal(reason: str) -> OperatorError:
        return OperatorError(
            f"{PREFIX}DATA_DIR: the folder {folder} cannot be used ({reason}). "
            f"Name one that you may write to: {PREFIX}DATA_DIR=/path authsvc dev"
        )

    if "?" in str(folder):
        raise refusal("the embedded database takes no path with a question mark")
    file = folder / "secret"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            # Somebody's home, or /tmp, is not ours to close to others.
            if any(folder.iterdir()):
                raise refusal("it holds files of something else")
            file.touch(mode=0o600)
            file.write_text(new_client_secret())
        folder.chmod(0o700)
        return file.read_text(errors="replace").strip()
    except OSError as error:
        raise refusal(str(error.strerror)) from None
    except RecursionError:  # mkdir calls itself once for each folder above
        raise refusal("its path is too long") from None


async def _prepare_dev(settings: Settings) -> None:
    stores = build_stores(settings, is_patient=True)
    try:
        await migrations.upgrade(stores.database)
    finally:
        await stores.close()
    async with open_services(settings) as services:
        await demo.add_demo(services)


def serve(
    *,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=256, help="How many processes serve; SQLite takes one.")
    ] = 1,
) -> None:
    """Serve, as the AUTHSVC_… variables say (all of them: .env.example).

    Needs AUTHSVC_DATABASE_URL and AUTHSVC_SECRET_KEYS, and `authsvc db upgrade` once before.

    Example: `authsvc serve --host 0.0.0.0 --workers 4`
    """
    _end_in_order()
    settings = load_settings()
    if workers > 1 and settings.is_embedded:
        raise OperatorError(
            f"A SQLite database serves one process; --workers {workers} needs Postgres: "
            "set AUTHSVC_DATABASE_URL to postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        )
    configure_logs(settings.log_format, settings.log_level)
    refuse_taken_port(host, port)
    options = partial(_options, settings, host, port)
    if workers == 1:
        serve_alone(settings, options)
        return
    _share_metrics(workers)
    asyncio.run(_check(settings))
    _serve_by(workers, settings, options())


async def _check(settings: Settings) -> None:
    """Say here, in one sentence, what would otherwise end each worker."""
    async with await open_checked(settings):
        pass


def _serve_by(workers: int, settings: Settings, options: dict[str, Any]) -> None:
    """Serve until told to stop. Workers read the settings from the environment themselves."""
    config = uvicorn.Config("authsvc.app:create_app", factory=True, workers=workers, **options)
    longest_stop = settings.drain_seconds + settings.stop_seconds + _LAST_MOMENT
    parent = Workers(config, [config.bind_socket()], longest_stop=longest_stop)
    parent.run()
    sys.exit(parent.status)


def _options(settings: Settings, host: str, port: int) -> dict[str, Any]:
    return {
        "host": host,
        "port": port,
        "log_config": None,
        "access_log": False,
        "timeout_worker_healthcheck": _WORKER_START_SECONDS,
        "http": partial(GlancingConnection, all_of_them=_connections(settings)),
        # An upgrade would leave every limit behind.
        "ws": "none",
        "timeout_keep_alive": settings.keep_alive_seconds,
        "timeout_graceful_shutdown": settings.stop_seconds,
        "server_header": False,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
    }


def _connections(settings: Settings) -> Connections:
    open_files.make_room(settings.max_connections, settings.database_pool_size)
    headers = headers_of_refusals(hsts_seconds(settings))
    return Connections(settings.max_connections, settings.header_seconds, settings.body_seconds, headers)


def _end_in_order() -> None:
    """Make SIGTERM a success: during a start, and when uvicorn raises it again at its end."""
    # A process 1, as in a container, has no default for it and would go on.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _share_metrics(workers: int) -> None:
    """Give the workers, which start with the environment as it is now, one folder to count in."""
    try:
        folder = tempfile.mkdtemp(prefix="authsvc-metrics-")
    except OSError as error:  # a container whose root is read-only has none
        raise OperatorError(
            f"--workers {workers}: they count in one folder, and none can be made ({error.strerror}). "
            "Mount one (docker run --tmpfs /tmp), or name one that may be written to: TMPDIR=/path"
        ) from None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if shutil.disk_usage(folder).free < workers * _BYTES_OF_A_WORKER:
        # A worker that writes where there is no room left is killed, and started again, for ever.
        raise OperatorError(
            f"--workers {workers}: there is too little space in {folder} for their counts. "
            f"Make room for {workers} MiB there, or name another folder: TMPDIR=/path"
        )
    os.environ[MULTIPROCESS_FOLDER] = folder  # noqa: TID251 - the library's own variable
