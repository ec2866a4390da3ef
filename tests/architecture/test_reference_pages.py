"""`docs/settings.md` and `docs/command-line.md` are what the code says today, and say all of it."""

from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from authsvc.environment import IGNORED_PREFIXES
from authsvc.settings import PREFIX, Settings
from tests import command_line_page, settings_page
from tests.command_line_page import PRINTED, commands, examples

COMMANDS = dict(commands())


def test_the_page_of_settings_is_what_the_settings_say(repository: Path) -> None:
    assert (repository / settings_page.PAGE).read_text() == settings_page.render(), "run: make pages"


def test_it_has_a_row_for_each_setting_and_names_what_is_ignored(repository: Path) -> None:
    text = (repository / settings_page.PAGE).read_text()

    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith(f"| `{PREFIX}")]

    assert sorted(rows) == sorted(PREFIX + name.upper() for name in Settings.model_fields)
    assert rows[:2] == ["AUTHSVC_DATABASE_URL", "AUTHSVC_SECRET_KEYS"]
    assert all(f"`{prefix}`" in text for prefix in IGNORED_PREFIXES)


def test_the_page_of_commands_is_what_the_commands_say(repository: Path) -> None:
    assert (repository / command_line_page.PAGE).read_text() == command_line_page.render(), "run: make pages"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_describes_itself_and_whatever_it_takes(name: str) -> None:
    command: Any = COMMANDS[name]

    assert command.help
    assert [parameter.name for parameter in command.params if not parameter.help] == []
    assert any("--json" in parameter.opts for parameter in command.params) == (name in PRINTED)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_a_command_can_be_typed_as_they_are(name: str) -> None:
    shown = examples(COMMANDS[name])

    assert any(" ".join(words).startswith(name) for words in shown)
    for words in shown:
        chosen = " ".join(takewhile(lambda word: not word.startswith("-"), words))
        named = max((known for known in COMMANDS if f"{chosen} ".startswith(f"{known} ")), key=len)
        # It reads the words, and refuses what it does not know; nothing is run.
        COMMANDS[named].make_context(named, words[len(named.split()) :])
