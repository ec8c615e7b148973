"""Seeded random values."""

from importlib.util import find_spec
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundstage.world.errors import FixtureError
from soundstage.world.random import POOL_SIZE, SeededRandom, text_pool

paths = st.lists(st.integers() | st.text(), max_size=3)


def draws(chance):
    return [chance.getrandbits(64), chance.randint(0, 10**9), chance.uniform(0, 1)]


@given(st.integers(), paths)
def test_the_same_seed_and_path_generate_the_same_values(seed, path):
    assert draws(SeededRandom(seed, *path)) == draws(SeededRandom(seed, *path))


def test_another_seed_or_path_generates_other_values():
    sources = [(1,), (2,), (1, "a"), (1, "b"), (1, "a", 0), (1, "a", 1), (12,), (1, 2)]
    for one, other in permutations(sources, 2):
        assert draws(SeededRandom(*one)) != draws(SeededRandom(*other))


def test_values_are_the_same_on_every_machine_and_in_every_release():
    chance = SeededRandom(7, "runwisp", "start", 0)
    assert chance.randint(1, 1000) == 619
    assert chance.uniform(0, 1) == 0.994539
    assert chance.choice("abcdef") == "d"
    assert chance.getrandbits(32) == 578988081


@given(st.integers(), st.integers(-1000, 1000), st.integers(0, 1000))
def test_a_random_integer_is_within_its_range(seed, least, width):
    assert least <= SeededRandom(seed).randint(least, least + width) <= least + width


@given(st.integers(), st.floats(-1000, 1000), st.floats(0, 1000))
def test_a_random_number_is_within_its_range_except_for_rounding(seed, least, width):
    value = SeededRandom(seed).uniform(least, least + width)
    assert least - 1e-6 <= value <= least + width + 1e-6


def test_a_provider_has_a_pool_of_texts_that_stays():
    assert text_pool("name") == text_pool.__wrapped__("name")
    assert len(text_pool("name")) == POOL_SIZE
    assert all(isinstance(text, str) for text in text_pool("random_int"))


@pytest.mark.parametrize("name", ["nonsense", "enum", "locales", "", "seed"])
def test_a_provider_that_faker_lacks_is_an_error(name):
    with pytest.raises(FixtureError, match="Faker has no provider"):
        text_pool(name)


@pytest.mark.skipif(find_spec("xmltodict") is not None, reason="its library is there")
def test_a_provider_whose_library_is_missing_is_an_error():
    with pytest.raises(FixtureError, match="'xml'"):
        text_pool("xml")
