"""Nothing on the pages goes unrun, but for what one list names with a reason."""

from pathlib import Path

from tests.docs.accounts import NOT_EXECUTED, runners
from tests.docs.pages import Page
from tests.docs.stacks import KINDS


def test_every_block_of_the_documentation_is_run_or_listed_with_a_reason() -> None:
    unrun = [(path, text) for path, text, runner in runners() if runner is None]

    assert [f"{path}: {text}" for path, text in unrun if (path, text) not in NOT_EXECUTED] == []


def test_nothing_is_listed_that_is_on_no_page_any_more() -> None:
    printed = {(path, text) for path, text, _ in runners()}

    assert NOT_EXECUTED.keys() - printed == set()


def test_what_is_said_to_run_a_block_exists(repository: Path) -> None:
    named = {runner for _, _, runner in runners() if runner}

    assert [runner for runner in named if not (repository / runner).is_file()] == []


def test_a_guards_page_has_no_shell_command_besides_its_start() -> None:
    """Its console is typed, its last `sh` line starts the program; what installs has its own runner."""
    for kind in KINDS.values():
        runs = [
            line
            for path, line, runner in runners()
            if path == kind.page and runner == "tests/docs/test_guards.py"
        ]
        typed = [command.line for command in Page(kind.page).commands_in("console")]
        started = [] if kind.is_proxy else [Page(kind.page).commands_in("sh")[-1].line]

        assert [line for line in runs if line != Page(kind.page).block(kind.language)] == started + typed
