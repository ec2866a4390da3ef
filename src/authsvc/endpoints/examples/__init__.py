"""The examples of every operation, by its id: each is an exchange that `authsvc dev` answers as written.

One file for each tag of the document.
"""

from typing import Final

from authsvc.endpoints.examples.example import Example
from authsvc.endpoints.examples.oauth import INTROSPECT, LOGIN, REFRESH, REVOKE, TOKEN
from authsvc.endpoints.examples.operations import HEALTHZ, METRICS, READYZ
from authsvc.endpoints.examples.resource_servers import JWKS, METADATA, VERIFY
from authsvc.endpoints.examples.user import END_SESSION, LIST_SESSIONS, LOGOUT, ME, PASSWORD

EXAMPLES: Final[dict[str, tuple[Example, ...]]] = {
    "login": LOGIN,
    "token": TOKEN,
    "refresh": REFRESH,
    "logout": LOGOUT,
    "introspect": INTROSPECT,
    "revoke": REVOKE,
    "verify": VERIFY,
    "me": ME,
    "list_sessions": LIST_SESSIONS,
    "end_session": END_SESSION,
    "change_password": PASSWORD,
    "jwks": JWKS,
    "metadata": METADATA,
    "healthz": HEALTHZ,
    "readyz": READYZ,
    "read_metrics": METRICS,
}
