"""`.env.example` lists every setting with its default, and can be used as it is."""

import os
import subprocess
from pathlib import Path
from unittest.mock import patch

from authsvc.settings import PREFIX, Settings
from tests import env_example
from tests.fixtures.command import environment

REQUIRED = {
    "AUTHSVC_DATABASE_URL": "sqlite:///authsvc.db",
    "AUTHSVC_SECRET_KEYS": "a secret of 32 characters at least",
}


def read_by_a_shell(script: str) -> dict[str, str]:
    """Return the variables of ours that a shell has after it read *script*."""
    printed = subprocess.run(
        ["sh", "-c", "set -a; . /dev/stdin; env -0"],
        input=script,
        env=environment({}),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    pairs = [line.partition("=") for line in printed.split("\0")]
    return {name: value for name, _, value in pairs if name.startswith(PREFIX)}


def settings_of(variables: dict[str, str]) -> Settings:
    with patch.dict(os.environ, environment(variables | REQUIRED), clear=True):
        return Settings()  # type: ignore[call-arg] # read from the environment


def test_it_is_what_the_settings_say(repository: Path) -> None:
    assert (repository / env_example.PAGE).read_text() == env_example.render(), "run: make pages"


def test_it_names_every_setting_once_with_its_description(repository: Path) -> None:
    text = (repository / env_example.PAGE).read_text()

    for name, field in Settings.model_fields.items():
        assert text.count(f"{PREFIX}{name.upper()}=") == 1
        assert field.description, name


def test_copied_as_it_is_it_leaves_everything_to_the_defaults(repository: Path) -> None:
    copied = read_by_a_shell((repository / env_example.PAGE).read_text())

    assert copied == dict.fromkeys(REQUIRED, "")
    assert settings_of(copied) == settings_of({})


def test_with_every_line_in_use_it_says_what_the_defaults_say(repository: Path) -> None:
    in_use = (repository / env_example.PAGE).read_text().replace(f"#{PREFIX}", PREFIX)

    variables = read_by_a_shell(in_use)

    assert len(variables) == len(Settings.model_fields)
    assert settings_of(variables) == settings_of({})
