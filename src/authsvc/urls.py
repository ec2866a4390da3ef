"""What a configured URL must look like."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def origin_of(url: str) -> str | None:
    """Return scheme, host and port of *url* as a browser writes an origin, or None if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        return None
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def is_loopback_host(host_or_url: str) -> bool:
    """Whether the host can only be reached from this machine."""
    host = urlsplit(host_or_url).hostname if "://" in host_or_url else host_or_url
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
