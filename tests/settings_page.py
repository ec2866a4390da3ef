"""Write `docs/settings.md` from the settings: `python -m tests.settings_page --write`; without it, print."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic.fields import FieldInfo

from authsvc.environment import IGNORED_PREFIXES
from authsvc.setting_values import DatabaseUrl, Issuer, Networks, Origins, RedisUrl, SecretKeys
from authsvc.settings import PREFIX, Settings
from tests.env_example import bounds, choices, written
from tests.generated_page import table, write_or_print

PAGE = Path("docs/settings.md")
_DAY = 86_400
_HEAD = f"""\
# Settings

Written by `make pages` from `src/authsvc/settings.py`.

Every setting is an environment variable that begins with `{PREFIX}`. It is read once, at start: a change
needs a restart. The instances of one installation should have the same values. `authsvc doctor` looks at
them and says what to mend.

- **Wrong is refused.** A value that cannot be, a required setting that is missing, and a name that is no
  setting are each refused at start, with a sentence that says what to write or which name was meant.
- **Ignored names** begin with {", ".join(f"`{prefix}`" for prefix in IGNORED_PREFIXES)}: the tests' own,
  and what Kubernetes injects beside a Service that is called `authsvc`.
- **Lists** are separated by commas; spaces around an entry do not count.
- **Empty is unset.** A variable without a value leaves the default.
- **Times** are in seconds; sizes are in the unit of their name.
- **`authsvc dev`** needs none of them. It keeps a secret and a SQLite database in `{PREFIX}DATA_DIR` and
  refuses `{PREFIX}DATABASE_URL` and `{PREFIX}REDIS_URL`. Where they are not set, the issuer is the address it
  listens at, and the log format is `console`.

[.env.example](../.env.example) holds the same list to copy.
"""
_GROUPS = {
    "Stores": (
        ("database_", "redis_", "data_dir", "purge_"),
        "Where state is kept, how long to wait for it, how it is kept small.",
    ),
    "Tokens": (
        ("token_", "issuer", "audience", "access_", "refresh_", "signing_", "jwt_", "jwks_"),
        "What is issued, for how long, and what a JWT says.",
    ),
    "Sessions": (
        ("session",),
        "How long a sign-in lasts. The first limit may not be longer than the second.",
    ),
    "Passwords": (
        ("password_", "hash_"),
        "What is accepted, and what a hash costs. One that cost less is made anew at the next login.",
    ),
    "Guessing": (
        ("guesses_",),
        "How many wrong passwords an hour, and at once; one more is a 429: [guessing.md](guessing.md).",
    ),
    "Start and stop": (
        ("start_", "drain_", "stop_"),
        "What happens when: [production.md](production.md#start-and-stop).",
    ),
    "HTTP": (
        ("cors_", "trusted_", "hsts_", "max_", "body_", "header_", "keep_alive_"),
        "Which pages may call, who speaks for others, and [how much it takes on](security.md#floods).",
    ),
    "Logs": (("log_",), "What is written to standard error: [logs-and-metrics.md](logs-and-metrics.md)."),
}
_KINDS = {
    DatabaseUrl: "a URL of Postgres or SQLite",
    RedisUrl | None: "`redis://`, `rediss://` (TLS), `unix://`, or by [Sentinel](redis.md)",
    SecretKeys: "a list; each of 32 characters at least",
    Issuer: "`https://` and a host, no path, no slash at the end; `http://` on loopback only",
    Origins: "a list of origins: scheme, host, port",
    Networks: "a list of addresses or networks",
    bool: "`true` or `false`",
    str: "text",
    str | None: "text",
}


def render() -> str:
    """Return the whole page."""
    required = [name for name, field in Settings.model_fields.items() if field.is_required()]
    said = "`authsvc serve`, and every command that opens the database, needs these."
    parts = [_HEAD, _group("Required", said, required)]
    for title, (_, sentence) in _GROUPS.items():
        names = [name for name in Settings.model_fields if name not in required and _title_of(name) == title]
        parts.append(_group(title, sentence, names))
    return "\n".join(parts)


def _title_of(name: str) -> str:
    for title, (stems, _) in _GROUPS.items():
        if name.startswith(stems):
            return title
    raise LookupError(f"{name} stands under no heading; name its stem in _GROUPS of {__file__}")


def _group(title: str, sentence: str, names: list[str]) -> str:
    rows = [tuple(_row(name, Settings.model_fields[name])) for name in names]
    return f"## {title}\n\n{sentence}\n\n" + table(("variable", "default", "may be", "what it does"), *rows)


def _row(name: str, field: FieldInfo) -> Iterator[str]:
    yield f"`{PREFIX}{name.upper()}`"
    yield "none: required" if field.is_required() else _default(field.default)
    yield _may_be(name, field)
    yield field.description or ""


def _default(default: Any) -> str:
    text = f"`{written(default)}`" if written(default) else "none"
    is_days = isinstance(default, int) and default >= _DAY and default % _DAY == 0
    return f"{text} ({default // _DAY} days)" if is_days else text


def _may_be(name: str, field: FieldInfo) -> str:
    if choices(field):
        return " or ".join(f"`{one}`" for one in get_args(field.annotation))
    if bounds(field):
        return bounds(field).removeprefix("From ").removesuffix(".").replace("More than", "more than")
    return _KINDS[get_type_hints(Settings, include_extras=True)[name]]


if __name__ == "__main__":
    write_or_print(PAGE, render(), sys.argv[1:])
