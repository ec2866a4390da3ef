"""What is said of a setting that is wrong, missing or none."""

from difflib import get_close_matches

from authsvc.setting_values import HOW_TO_MAKE_A_SECRET

PREFIX = "AUTHSVC_"


def nearest(name: str, known: set[str]) -> str:
    """Return the setting that was perhaps meant by *name*, which is none."""
    # Without what all of them begin with, else anything would look like something.
    names = {other.removeprefix(PREFIX): other for other in known}
    matches = [names[near] for near in get_close_matches(name.removeprefix(PREFIX), names, n=1)]
    return f"Did you mean {matches[0]}?" if matches else "See .env.example for the list."


def sentence(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """Return what pydantic says of a setting as a sentence that names the variable and what to write."""
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
