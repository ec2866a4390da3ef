"""AUTHSVC_DATABASE_URL, read once."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from authsvc.errors import OperatorError

# The driver refuses any other with a TypeError, at the first connection.
_PARAMETERS = {"ssl", "prepared_statement_cache_size", "target_session_attrs"}


def read_address(url: str) -> URL:
    """Return *url* as the driver takes it.

    Raises:
        OperatorError: it cannot be read, or asks for what the driver does not know.
    """
    try:
        parsed = make_url(url)
        _refuse_unusable(parsed)
    except (ArgumentError, ValueError, OverflowError):  # its text may hold the password
        raise OperatorError(
            "AUTHSVC_DATABASE_URL cannot be read as a URL; "
            "write postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
            "in USER and PASSWORD %40 for @, %3A for : and %2F for /"
        ) from None
    if "sslmode" in parsed.query:  # what hosting providers hand out; the driver's name for it is `ssl`
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict(
            {"ssl": parsed.query["sslmode"]}
        )
    if unknown := sorted(parsed.query.keys() - _PARAMETERS):
        raise OperatorError(
            f"AUTHSVC_DATABASE_URL has the parameter {unknown[0]}, and the driver knows "
            f"{', '.join(sorted(_PARAMETERS))} only; for TLS write ?ssl=require"
        )
    return parsed


def _refuse_unusable(url: URL) -> None:
    """Raise ValueError or OverflowError, which the driver would raise much later."""
    (url.host or "").encode("idna")
    (url.port or 0).to_bytes(2)
    if any("\0" in part for part in (url.username, url.password, url.database) if part):
        raise ValueError("NUL")
