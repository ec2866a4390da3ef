"""The tests of `make equal-times`: they tell what differs, and nothing else."""

import random

import pytest

from benchmarks.two_samples import kolmogorov_smirnov, mann_whitney


@pytest.fixture
def draw() -> random.Random:
    return random.Random(1)  # noqa: S311 - the same numbers each time are the point


def normal(draw: random.Random, mean: float, spread: float = 1.0) -> list[float]:
    return [draw.gauss(mean, spread) for _ in range(1000)]


def test_samples_of_one_distribution_are_told_apart_as_rarely_as_the_chance_says(draw: random.Random) -> None:
    chances = [(normal(draw, 25), normal(draw, 25)) for _ in range(100)]

    for test in (mann_whitney, kolmogorov_smirnov):
        assert sum(test(one, other) < 0.1 for one, other in chances) <= 20
        assert sum(test(one, other) < 0.5 for one, other in chances) >= 30


def test_a_shift_by_a_quarter_of_the_spread_is_told(draw: random.Random) -> None:
    one, other = normal(draw, 25), normal(draw, 25.25)

    assert mann_whitney(one, other) < 0.001
    assert kolmogorov_smirnov(one, other) < 0.001


def test_a_wider_spread_is_told_by_the_second(draw: random.Random) -> None:
    assert kolmogorov_smirnov(normal(draw, 25), normal(draw, 25, 1.5)) < 0.001


@pytest.mark.parametrize("test", [mann_whitney, kolmogorov_smirnov])
def test_the_same_values_are_not_told_apart(test: object) -> None:
    assert callable(test)
    assert test([1.0] * 50, [1.0] * 60) == pytest.approx(1)


def test_the_chances_are_those_of_the_books() -> None:
    # The first by scipy: mannwhitneyu(one, other, use_continuity=False, method="asymptotic").
    one, other = list(range(1, 11)), list(range(4, 14))

    assert mann_whitney(one, other) == pytest.approx(0.05327173473522548)
    assert 0.6 < kolmogorov_smirnov(one, other) < 0.8
