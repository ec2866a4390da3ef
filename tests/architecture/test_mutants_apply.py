"""Every mutant still fits the code and the tests it names; `make mutants` then shows that it is caught."""

import pytest

from tests.conftest import DESELECTED
from tests.mutants.mutant import find_problems, read_mutants


def test_every_mutant_fits_the_code_and_names_tests_that_exist() -> None:
    if problems := find_problems():
        pytest.fail("\n".join(problems), pytrace=False)


def test_the_parameters_of_their_tests_exist(request: pytest.FixtureRequest) -> None:
    """Of those test functions that were collected; all were, where the whole suite is run."""
    deselected = request.config.stash[DESELECTED]
    collected = {item.nodeid for item in request.session.items}.union(deselected)
    functions = {node.partition("[")[0] for node in collected}
    named = {node for mutant in read_mutants() for node in (mutant.test, mutant.neighbour) if "[" in node}
    gone = {node for node in named - collected if node.partition("[")[0] in functions}

    assert gone == set()
