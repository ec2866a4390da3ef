"""Every mutant still fits the code and the tests it names; `make mutants` then shows that it is caught."""

import pytest

from tests.mutants.mutant import find_problems


def test_every_mutant_fits_the_code_and_names_tests_that_exist() -> None:
    if problems := find_problems():
        pytest.fail("\n".join(problems), pytrace=False)
