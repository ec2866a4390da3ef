"""Ask the issuer's own URL what a client would see there, through whatever stands in front."""

from collections.abc import AsyncIterator

import httpx

from authsvc.cli.finding import Finding
from authsvc.settings import PREFIX, Settings
from authsvc.urls import is_loopback_host

_PROBE_SECONDS = 3.0


async def issuer(settings: Settings) -> AsyncIterator[Finding]:
    """Ask the issuer's own URL, as a client would."""
    metadata = f"{settings.issuer}/.well-known/oauth-authorization-server"
    try:
        # What the environment names as the way out does not lead to this machine.
        is_far = not is_loopback_host(settings.issuer)
        async with httpx.AsyncClient(timeout=_PROBE_SECONDS, trust_env=is_far) as http:
            told = issuer_in(await http.get(metadata))
            verified = await http.get(f"{settings.issuer}/verify", headers={"Authorization": "Bearer doctor"})
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError) as error:
        yield Finding(
            "issuer URL",
            "warning",
            f"{metadata} gives no metadata ({type(error).__name__})",
            "right before the first start; afterwards no client can discover the service",
            f"curl -i {metadata}",
        )
        return
    if told != settings.issuer:
        yield Finding(
            "issuer URL",
            "problem",
            f"{metadata} says that the issuer is {told}",
            "clients compare the two and refuse",
            f"{PREFIX}ISSUER={told}  (or point that name at this service)",
        )
    if "invalid_token" not in verified.headers.get("www-authenticate", ""):
        yield Finding(
            "issuer URL",
            "problem",
            "the Authorization header does not arrive",
            "no access token gets through the proxy",
            "let the proxy pass it on: proxy_set_header Authorization $http_authorization;",
        )
    elif told == settings.issuer:
        yield Finding("issuer URL", "ok", "answers with the metadata of this service")


def issuer_in(metadata: httpx.Response) -> str:
    """Return the issuer that an answer names; whatever is no such answer raises."""
    told = metadata.json()["issuer"]
    if not isinstance(told, str) or not told.isprintable():  # a stranger's, that is about to be shown
        raise TypeError
    return told
