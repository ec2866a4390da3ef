"""Which addresses count as one: IPv4 by the address, IPv6 by the /64 that one line gets."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

UNKNOWN = b"?"
"""Where a request came from that named no address."""


@lru_cache(maxsize=256)  # each login asks several times, and to read an address takes as long as to use it
def network_of(address: str | None) -> bytes:
    """Return the network of *address*: a letter for its kind, and 4 or 8 bytes; `UNKNOWN` if it is none."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, IPv6Address):
        # One IPv4 address is written both ways, as the socket happens to have been opened.
        parsed = parsed.ipv4_mapped or parsed
    return b"4" + parsed.packed if isinstance(parsed, IPv4Address) else b"6" + parsed.packed[:8]
