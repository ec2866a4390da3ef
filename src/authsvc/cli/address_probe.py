"""See whether the service could listen where it is to listen; its own running instance is no obstacle."""

import httpx

from authsvc.cli.finding import Finding, refused
from authsvc.cli.issuer_probe import issuer_in
from authsvc.cli.listening import refuse_taken_port
from authsvc.errors import OperatorError
from authsvc.settings import Settings

_PROBE_SECONDS = 1.0
_FROM_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask a server that listens everywhere


async def address(settings: Settings, host: str, port: int) -> Finding | None:
    """Return what `serve` would refuse, unless the service is what listens there."""
    try:
        refuse_taken_port(host, port)
    except OperatorError as error:
        if not await _is_served(settings, _FROM_HERE.get(host, host), port):
            return refused("address", str(error))
    return None


async def _is_served(settings: Settings, host: str, port: int) -> bool:
    named = f"[{host}]" if ":" in host else host
    try:
        async with httpx.AsyncClient(timeout=_PROBE_SECONDS, trust_env=False) as http:
            told = await http.get(f"http://{named}:{port}/.well-known/oauth-authorization-server")
        return issuer_in(told) == settings.issuer
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError):
        return False
