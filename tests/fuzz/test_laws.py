"""The laws hold of every seed, of everything that fuzzing ever found, and of the same few changes of seeds each time.

Knows: seeds, laws, the mutator.  Must not know: atheris; `make fuzz-bytes` has the long search.
"""

from __future__ import annotations

import pytest

from tests.fuzz.laws import LAWS
from tests.fuzz.mutator import mutate
from tests.fuzz.seeds import found, seeds

CHANGED = {"reads": 3000, "counts": 1000, "folds": 400}
LARGEST = 16_384
KNOWN = {**{f"seed-{number}": data for number, data in enumerate(seeds())}, **found()}


@pytest.mark.parametrize("law", sorted(LAWS))
@pytest.mark.parametrize("name", KNOWN)
def test_seeds_and_what_was_found_once(name: str, law: str) -> None:
    LAWS[law](KNOWN[name])


@pytest.mark.parametrize("law", sorted(LAWS))
def test_changed_seeds(law: str) -> None:
    for number in range(CHANGED[law]):
        LAWS[law](mutate(seeds()[number % len(seeds())], LARGEST, number))


def test_a_change_is_the_same_every_time_and_mostly_one_that_is_read_on() -> None:
    made = [mutate(seeds()[number % len(seeds())], LARGEST, number) for number in range(200)]
    assert made == [mutate(seeds()[number % len(seeds())], LARGEST, number) for number in range(200)]
    assert len(set(made)) > 150
    assert all(len(data) <= LARGEST for data in made)
