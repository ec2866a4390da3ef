"""Read the settings from the environment, once; what is wrong is refused with a sentence."""

import os
from difflib import get_close_matches

from pydantic import ValidationError

from authsvc.errors import OperatorError
from authsvc.setting_values import HOW_TO_MAKE_A_SECRET
from authsvc.settings import PREFIX, Settings

# Kubernetes injects the last two beside a Service named "authsvc".
IGNORED_PREFIXES = ("AUTHSVC_TEST_", "AUTHSVC_SERVICE_", "AUTHSVC_PORT")


def load_settings(**overrides: object) -> Settings:
    """Return the settings of the environment; *overrides* win.

    Raises:
        OperatorError: a variable is unknown, missing or wrong; one line for each.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = [
        name
        for name in sorted(os.environ)  # noqa: TID251 - the one place where it enters
        if name.startswith(PREFIX) and name not in known and not name.startswith(IGNORED_PREFIXES)
    ]
    lines = [f"{name} is no setting of authsvc. {_nearest(name, known)}" for name in unknown]
    if unreadable := [name for name in sorted(known) if not _is_text(name)]:
        raise OperatorError(f"{unreadable[0]} holds bytes that are no UTF-8; write it as text.")
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type] # checked by pydantic
    except ValidationError as error:
        lines += [_sentence(detail["loc"], detail["type"], detail["msg"]) for detail in error.errors()]
    if lines:
        raise OperatorError("\n".join(lines))
    return settings


def _is_text(name: str) -> bool:
    value = os.environ.get(name, "")  # noqa: TID251 - before there are settings
    # What is no UTF-8 comes from the environment as lone surrogates, which nothing can encode.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _nearest(name: str, known: set[str]) -> str:
    # Without what all of them begin with, else anything would look like something.
    names = {other.removeprefix(PREFIX): other for other in known}
    matches = [names[near] for near in get_close_matches(name.removeprefix(PREFIX), names, n=1)]
    return f"Did you mean {matches[0]}?" if matches else "See .env.example for the list."


def _sentence(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if not location:
        return message.removeprefix("Value error, ") + "."
    name = PREFIX + str(location[0]).upper()
    if kind == "missing":
        cure = {
            "AUTHSVC_DATABASE_URL": "write postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
            "or start `authsvc dev`, which needs none",
            "AUTHSVC_SECRET_KEYS": f"make one with: {HOW_TO_MAKE_A_SECRET}",
        }[name]
        return f"{name} is not set; {cure}."
    return f"{name} {message.removeprefix('Value error, ').removeprefix('Input ')}."
