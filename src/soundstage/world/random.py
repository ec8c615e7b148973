"""Seeded draws: the only source of chance, and of text made by Faker."""

import functools
import random
from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol, TypeVar

from soundstage import cache
from soundstage.world.errors import FixtureError

T = TypeVar("T")

POOL_SIZE = 128  # texts kept per Faker provider


class RandomSource(Protocol):
    """What a scenario may ask of chance."""

    def randint(self, minimum: int, maximum: int) -> int:
        """An integer from least to most, both included."""

    def uniform(self, minimum: float, maximum: float) -> float:
        """A number from least to most."""

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""

    def getrandbits(self, count: int) -> int:
        """So many random bits."""

    def text(self, provider: str) -> str:
        """A text from a Faker provider."""


class SeededRandom:
    """Draws that depend on the seed and the path alone, on any machine."""

    def __init__(self, seed: int, *path: str | int) -> None:
        name = "\0".join(map(str, (seed, *path))).encode()
        self._random = random.Random(blake2b(name, digest_size=16).digest())

    def randint(self, minimum: int, maximum: int) -> int:
        return minimum + int(self._random.random() * (maximum - minimum + 1))

    def uniform(self, minimum: float, maximum: float) -> float:
        return round(minimum + self._random.random() * (maximum - minimum), 6)

    def choice(self, options: Sequence[T]) -> T:
        return options[int(self._random.random() * len(options))]

    def getrandbits(self, count: int) -> int:
        return self._random.getrandbits(count)

    def text(self, provider: str) -> str:
        return self.choice(text_pool(provider))


class BoundaryRandom(SeededRandom):
    """For checks: always the least or the greatest, and each alternative in turn."""

    def __init__(self, turn: int) -> None:
        super().__init__(0, "extreme", turn)
        self._turn = turn

    def randint(self, minimum: int, maximum: int) -> int:
        return maximum if self._turn % 2 else minimum

    def uniform(self, minimum: float, maximum: float) -> float:
        return maximum if self._turn % 2 else minimum

    def choice(self, options: Sequence[T]) -> T:
        return options[self._turn % len(options)]


@functools.cache
def text_pool(provider: str) -> tuple[str, ...]:
    """Texts of one Faker provider, the same in every process.

    Raises ``FixtureError`` for a name that Faker lacks or that needs arguments.
    """
    entry = cache.entry_name("texts", provider)
    texts = cache.get(entry)
    if texts is None:
        texts = _generate_texts(provider)
        cache.put(entry, texts)
    return tuple(texts)


def _generate_texts(provider: str) -> list[str]:
    from faker import Faker

    faker = Faker("en_US")
    faker.seed_instance(f"soundstage {provider}")
    try:
        draw = getattr(faker, provider)
        return [str(draw()) for _ in range(POOL_SIZE)]
    except Exception as error:  # providers raise what they like
        msg = f"Faker has no provider {provider!r} that needs no arguments"
        raise FixtureError(msg) from error
