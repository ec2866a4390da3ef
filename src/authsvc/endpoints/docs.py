"""GET /docs: Swagger UI, from the service's own files and no other origin.

The files are those of the npm package swagger-ui-dist 5.35.0, unchanged, and our `swagger-init.js`.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from fastapi.responses import HTMLResponse

from authsvc.errors import NotFound

router = APIRouter(include_in_schema=False)

STATIC: Final = Path(__file__).parent / "static"

# Nothing outside this table is served, so a name is never made into a path.
MEDIA_TYPES: Final = {
    "favicon-32x32.png": "image/png",
    "swagger-init.js": "text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}

# Swagger UI draws its icons as data: URLs; its styles need no exception.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class StaticFile:
    """One file as it is sent."""

    content: bytes
    media_type: str
    digest: str

    @property
    def etag(self) -> str:
        """The entity tag (RFC 9110 §8.8.3)."""
        return f'"{self.digest}"'


@cache
def read(name: str) -> StaticFile:
    """Return the file called *name*, a key of `MEDIA_TYPES`; the disk is asked once."""
    content = (STATIC / name).read_bytes()
    return StaticFile(content, MEDIA_TYPES[name], sha256(content).hexdigest()[:32])


def link(name: str) -> str:
    """Return where a page beside /docs finds *name*; the digest lets an upgrade pass every cache."""
    return f"docs/{name}?v={read(name).digest}"


@cache
def page() -> str:
    """Return the page itself; its links are relative because a proxy may add a path in front."""
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>authsvc</title>
<link rel="icon" type="image/png" href="{link("favicon-32x32.png")}">
<link rel="stylesheet" href="{link("swagger-ui.css")}">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> does not.</noscript>
<script src="{link("swagger-ui-bundle.js")}"></script>
<script src="{link("swagger-init.js")}"></script>
</body>
</html>
"""


# Neither endpoint is async: the first request reads files, which must not hold up the event loop.
@router.get("/docs")
def show_docs() -> HTMLResponse:
    """Answer the page that starts Swagger UI."""
    return HTMLResponse(
        page(),
        headers={
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Cache-Control": "no-cache",
        },
    )


@router.get("/docs/{name}")
def send_static_file(name: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    """Answer one of Swagger UI's files, or 304 to a browser that has it."""
    if name not in MEDIA_TYPES:
        raise NotFound("There is no such file.")
    file = read(name)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": file.etag,
    }
    if names_tag(if_none_match, file.etag):
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def names_tag(if_none_match: str, etag: str) -> bool:
    """Whether the header If-None-Match names *etag*, compared weakly (RFC 9110 §13.1.2)."""
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return if_none_match.strip() == "*" or etag in tags
