"""Seeded draws: the only source of chance, and of text made by Faker."""

import functools
import random
from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol, TypeVar

from soundstage import cache
from soundstage.world.errors import FixtureError

T = TypeVar("T")

POOL = 128  # texts kept per Faker provider


class Chance(Protocol):
    """What a scenario may ask of chance."""

    def whole(self, least: int, most: int) -> int:
        """An integer from least to most, both included."""

    def real(self, least: float, most: float) -> float:
        """A number from least to most."""

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""

    def bits(self, count: int) -> int:
        """So many random bits."""

    def text(self, provider: str) -> str:
        """A text from a Faker provider."""


class Seeded:
    """Draws that depend on the seed and the path alone, on any machine."""

    def __init__(self, seed: int, *path: str | int) -> None:
        name = "\0".join(map(str, (seed, *path))).encode()
        self._random = random.Random(blake2b(name, digest_size=16).digest())

    def whole(self, least: int, most: int) -> int:
        return least + int(self._random.random() * (most - least + 1))

    def real(self, least: float, most: float) -> float:
        return round(least + self._random.random() * (most - least), 6)

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._random.random() * len(options))]

    def bits(self, count: int) -> int:
        return self._random.getrandbits(count)

    def text(self, provider: str) -> str:
        return self.pick(pool(provider))


class Extreme(Seeded):
    """For checks: always the least or the greatest, and each alternative in turn."""

    def __init__(self, turn: int) -> None:
        super().__init__(0, "extreme", turn)
        self._turn = turn

    def whole(self, least: int, most: int) -> int:
        return most if self._turn % 2 else least

    def real(self, least: float, most: float) -> float:
        return most if self._turn % 2 else least

    def pick(self, options: Sequence[T]) -> T:
        return options[self._turn % len(options)]


@functools.cache
def pool(provider: str) -> tuple[str, ...]:
    """Texts of one Faker provider, the same in every process.

    Raises ``FixtureError`` for a name that Faker lacks or that needs arguments.
    """
    entry = cache.entry_name("texts", provider)
    texts = cache.get(entry)
    if texts is None:
        texts = _texts(provider)
        cache.put(entry, texts)
    return tuple(texts)


def _texts(provider: str) -> list[str]:
    from faker import Faker

    faker = Faker("en_US")
    faker.seed_instance(f"soundstage {provider}")
    try:
        draw = getattr(faker, provider)
        return [str(draw()) for _ in range(POOL)]
    except Exception as error:  # providers raise what they like
        msg = f"Faker has no provider {provider!r} that needs no arguments"
        raise FixtureError(msg) from error
