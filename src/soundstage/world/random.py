"""Seeded random values: the only source of randomness, and of texts made by Faker."""

import functools
import random
from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol, TypeVar

from soundstage import cache
from soundstage.world.errors import FixtureError

T = TypeVar("T")

POOL_SIZE = 128
"""The number of texts that are generated for each Faker provider."""


class RandomSource(Protocol):
    """The random values that a scenario can request."""

    def randint(self, minimum: int, maximum: int) -> int:
        """Return an integer from ``minimum`` to ``maximum``, both included."""

    def uniform(self, minimum: float, maximum: float) -> float:
        """Return a number from ``minimum`` to ``maximum``."""

    def choice(self, options: Sequence[T]) -> T:
        """Return one of the options."""

    def getrandbits(self, count: int) -> int:
        """Return an integer of ``count`` random bits."""

    def text(self, provider: str) -> str:
        """Return a text from a Faker provider. Raises ``FixtureError``."""


class SeededRandom:
    """Random values that depend only on the seed and the path, on every machine.

    >>> SeededRandom(7, "runs").randint(1, 6) == SeededRandom(7, "runs").randint(1, 6)
    True
    """

    def __init__(self, seed: int, *path: str | int) -> None:
        name = "\0".join(map(str, (seed, *path))).encode()
        self._random = random.Random(blake2b(name, digest_size=16).digest())

    # Python promises the same random() in every version, but not the same randint() or
    # choice(): these are computed here.

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
    """Boundary values for fixture validation, selected by ``turn``.

    Numbers are the minimum (even turns) or the maximum (odd turns); choices take each
    option in turn.
    """

    def __init__(self, turn: int) -> None:
        # The path is part of what is generated: another one would be another seed.
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
    """Return the texts of one Faker provider, the same in every process.

    Raises ``FixtureError`` for a name that Faker lacks or that needs arguments.
    """
    # Importing Faker is slow, so its texts are cached on disk.
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
        generate = getattr(faker, provider)
        return [str(generate()) for _ in range(POOL_SIZE)]
    except Exception as error:  # providers raise exceptions of any type
        msg = f"Faker has no provider {provider!r} that needs no arguments"
        raise FixtureError(msg) from error
