"""Identifiers in the formats of the vendors, generated from a seed."""

from collections.abc import Callable

from soundstage.world.random import RandomSource

IdFormat = Callable[[RandomSource, int], str]
"""Generates an identifier from random bits and the timestamp of its record."""

_CROCKFORD_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FRIENDLY_ALPHABET = "123456789abcdefghijkmnopqrstuvwxyz"

# RFC 9562, 5.4: the version and variant bits are fixed, the other 122 are random.
_UUID_VERSION_4 = 0x4 << 76 | 0x8 << 60
_UUID_RANDOM_BITS = ~(0xF << 76 | 0xC << 60)


def uuid(random: RandomSource, _timestamp: int) -> str:
    """Generate a version 4 UUID (RFC 9562).

    >>> from soundstage.world.random import SeededRandom
    >>> uuid(SeededRandom(1), 0)
    '7ffb6203-31c5-4684-88ac-c76a1e1f347d'
    """
    bits = random.getrandbits(128) & _UUID_RANDOM_BITS | _UUID_VERSION_4
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def ulid(random: RandomSource, timestamp: int) -> str:
    """Generate 26 Crockford characters that sort by time (github.com/ulid/spec)."""
    number = (max(timestamp, 0) << 80) | random.getrandbits(80)
    return "".join(_CROCKFORD_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def hex16(random: RandomSource, _timestamp: int) -> str:
    """Generate a span id of W3C Trace Context."""
    return f"{random.getrandbits(64):016x}"


def hex32(random: RandomSource, _timestamp: int) -> str:
    """Generate a trace id of W3C Trace Context."""
    return f"{random.getrandbits(128):032x}"


def friendly_id(prefix: str) -> IdFormat:
    """Return the format of Trigger.dev's ``run_…``: 21 unambiguous characters."""

    def generate(random: RandomSource, _timestamp: int) -> str:
        return prefix + "".join(random.choice(_FRIENDLY_ALPHABET) for _ in range(21))

    return generate


ID_FORMATS: dict[str, IdFormat] = {"uuid": uuid, "ulid": ulid, "hex16": hex16, "hex32": hex32}
"""The formats that a fixture can name: ``{id: ulid}``."""
