"""What the OpenAPI document says of the whole service."""

from typing import Final

from authsvc.demo_credentials import (
    DEMO_INTROSPECTING_CLIENT_ID,
    DEMO_INTROSPECTING_CLIENT_SECRET,
    DEMO_PASSWORD,
    DEMO_PUBLIC_CLIENT_ID,
    DEMO_USERNAME,
)

SUMMARY: Final = "An authentication service: sessions or tokens, one core."

DESCRIPTION: Final = f"""\
Log in, refresh, log out, and ask whether a token is live.

Press **Authorize** to log in as a user (leave the client empty), or as a client under *client*; then open an
operation, **Try it out**, **Execute**. What `authsvc dev` serves has published credentials:

| | id | secret |
|---|---|---|
| account | `{DEMO_USERNAME}` | `{DEMO_PASSWORD}` |
| public client | `public`, which is meant where none is named | |
| public client | `{DEMO_PUBLIC_CLIENT_ID}` | |
| confidential client | `{DEMO_INTROSPECTING_CLIENT_ID}` | `{DEMO_INTROSPECTING_CLIENT_SECRET}` |

Each example of this document is an exchange with that server: a request, and its answer under the same name.
`x-exchanges` says with which Authorization header and parameters it is sent. A name in braces stands for
what an earlier answer gave: `{{access_token}}` and `{{refresh_token}}` are those of `POST /login`,
`{{session_id}}` is one of `GET /sessions`, `{{etag}}` that of the key set, and `{{client_access_token}}`
comes from `POST /token` with `client_credentials` and the scope `introspect`.

Forms are `application/x-www-form-urlencoded` in UTF-8. A parameter without a value counts as not sent, and
one that is sent twice is refused. The operations under *oauth* answer errors as RFC 6749 §5.2 says, all
others as problem details (RFC 9457). Problem details are also what a path that is not served gets (404), a
method that a path does not have (405, with `Allow`), and a failure that nobody foresaw (500). Every answer
has an `X-Request-ID`: the caller's own if it sent one, or the trace id of its `traceparent`."""

TAGS: Final = [
    {"name": "oauth", "description": "For clients: tokens, introspection, revocation."},
    {"name": "user", "description": "For the user behind an access token."},
    {
        "name": "resource servers",
        "description": "For services that are guarded, and the proxies before them.",
    },
    {"name": "operations", "description": "For whoever operates the service."},
]
