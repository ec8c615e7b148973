"""Identifiers as the vendors form them, drawn from a seed."""

from collections.abc import Callable

from soundstage.world.random import RandomSource

IdFormat = Callable[[RandomSource, int], str]
"""Makes an identifier from draws and the instant at which it is given."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FRIENDLY = "123456789abcdefghijkmnopqrstuvwxyz"


_VERSION_4 = 0x4 << 76 | 0x8 << 60  # with the variant of the RFC
_FREE = ~(0xF << 76 | 0xC << 60)


def uuid(random: RandomSource, _timestamp: int) -> str:
    """A version 4 UUID (RFC 9562)."""
    bits = random.getrandbits(128) & _FREE | _VERSION_4
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def ulid(random: RandomSource, timestamp: int) -> str:
    """26 Crockford characters that sort by time (github.com/ulid/spec)."""
    number = (max(timestamp, 0) << 80) | random.getrandbits(80)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def hex16(random: RandomSource, _timestamp: int) -> str:
    """A span id of W3C Trace Context."""
    return f"{random.getrandbits(64):016x}"


def hex32(random: RandomSource, _timestamp: int) -> str:
    """A trace id of W3C Trace Context."""
    return f"{random.getrandbits(128):032x}"


def friendly_id(prefix: str) -> IdFormat:
    """Trigger.dev's ``run_`` and the like: 21 characters, none that people mix up."""

    def form(chance: RandomSource, _at: int) -> str:
        return prefix + "".join(chance.choice(_FRIENDLY) for _ in range(21))

    return form


ID_FORMATS: dict[str, IdFormat] = {
    "uuid": uuid,
    "ulid": ulid,
    "hex16": hex16,
    "hex32": hex32,
}
