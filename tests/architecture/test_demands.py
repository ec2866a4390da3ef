"""The pages that say what the service does agree with the tests that show it."""

import pytest

from tests import demands, promises
from tests.mutants.mutant import read_mutants


def test_every_demand_is_shown_by_a_test_or_said_to_come_later() -> None:
    problems = demands.find_problems()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def test_every_promise_said_to_be_kept_has_a_mutant() -> None:
    broken = {mutant.promise for mutant in read_mutants()}
    kept = [promise.id for promise in promises.read_promises() if promise.is_kept]
    without = [name for name in kept if name not in broken]
    assert not without, f"no mutant in tests/mutants/ breaks {', '.join(without)}"


def test_every_promise_has_a_number_and_a_state() -> None:
    numbers = [promise.id for promise in promises.read_promises()]
    assert numbers == [f"P{number}" for number in range(1, promises.COUNT + 1)]
