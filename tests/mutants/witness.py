"""A pytest plugin that writes into the JUnit report how each test ended: passed, by assertion, or by a crash.

The report alone tells these apart only by the wording of a message; here the exception itself is at hand.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

TREE_VARIABLE = "AUTHSVC_TEST_TREE"
PASSED, ASSERTION, CRASH = "passed", "assertion", "crash"
# pytest-timeout ends a test through pytest.fail, though no assertion spoke.
_TIMED_OUT = "Timeout ("


def pytest_configure() -> None:
    """Refuse to judge any other code than that of the copy: an editable install must not win."""
    import authsvc  # noqa: PLC0415 - which file this finds is the question, asked inside this very process

    tree, found = Path(os.environ[TREE_VARIABLE]), Path(authsvc.__file__)
    if not found.is_relative_to(tree):
        raise pytest.UsageError(f"authsvc comes from {found.parent}, not from the copy in {tree}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or not report.passed:
        verdict = PASSED if report.passed else _verdict(call)
        why = "" if call.excinfo is None else call.excinfo.exconly(tryshort=True).partition("\n")[0]
        # Every phase that did not pass counts; a fixture that breaks afterwards is a crash.
        item.user_properties += [("node", item.nodeid), ("verdict", verdict), ("why", why)]
        report.user_properties = list(item.user_properties)
    return report


def _verdict(call: pytest.CallInfo[None]) -> str:
    """Only an assertion made by the tests' own code counts, and not in a fixture."""
    if call.when != "call" or call.excinfo is None:
        return CRASH
    error, place = call.excinfo.value, Path(call.excinfo.traceback[-1].path)
    if isinstance(error, pytest.fail.Exception):
        return CRASH if str(error).startswith(_TIMED_OUT) else ASSERTION
    is_ours = place.is_relative_to(Path(os.environ[TREE_VARIABLE]) / "tests")
    return ASSERTION if isinstance(error, AssertionError) and is_ours else CRASH
