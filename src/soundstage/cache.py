"""What was worked out from files once, kept in the user's cache folder.

An entry is named by a digest of all that it follows from: the texts that were read, our
own code, the libraries that read them. So none is ever out of date; when a byte changes
it is not found (docs/adr/0008). An entry is JSON behind a digest of its own: what is
damaged, or was written by another user, counts as not there. Nothing here ever fails:
without a folder that can be written to, things are worked out each time.
"""

import os
import sys
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path

import orjson

from soundstage.types import Json

MAX_ENTRIES = 200
"""Entries that are kept; beyond them the oldest go."""

LIBRARIES = ("faker", "jsonpath-rfc9535", "jsonschema-rs", "pyyaml")

EXCLUDED_PACKAGES = {"cli", "server", "testing"}
"""Our packages that use what is kept. Nothing that is kept follows from their code:
they import what makes it, which may not import them (ARCHITECTURE.md)."""

_DIGEST_SIZE = 32


def entry_name(kind: str, *parts: str | bytes) -> str:
    """The name of the entry that follows from these texts and from our code."""
    found = blake2b(_code_digest(), digest_size=_DIGEST_SIZE)
    for part in (kind, *parts):
        raw = part.encode() if isinstance(part, str) else part
        found.update(b"%d:" % len(raw))
        found.update(raw)
    return f"{kind}-{found.hexdigest()}.json"


def get(name: str) -> Json:
    """The value of an entry; None if it is not there."""
    with suppress(OSError, ValueError, RuntimeError):
        raw = _read_own_file(_cache_folder() / name)
        if raw[: 2 * _DIGEST_SIZE] == _checksum(name, raw[2 * _DIGEST_SIZE :]):
            return orjson.loads(raw[2 * _DIGEST_SIZE :])
    return None


def put(name: str, value: Json) -> None:
    """Keep a value, if that can be done; other processes see all of it or nothing.

    What JSON would give back as something else, infinity for one, is not kept.
    """
    with suppress(OSError, RuntimeError, TypeError):
        raw = orjson.dumps(value)
        if orjson.loads(raw) != value:
            return
        folder = _cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f"{name}.{os.getpid()}"
        draft.write_bytes(_checksum(name, raw) + raw)
        draft.chmod(0o600)
        draft.replace(folder / name)
        there = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in there[:-MAX_ENTRIES]:
            path.unlink()


def _cache_folder() -> Path:
    """Where the XDG Base Directory Specification wants it."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "soundstage"


def _read_own_file(path: Path) -> bytes:
    """The bytes of a file that nobody but ourselves may write to."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        if hasattr(os, "geteuid") and (
            found.st_uid != os.geteuid() or found.st_mode & 0o022
        ):
            raise PermissionError(path)
        return file.read()


def _checksum(name: str, raw: bytes) -> bytes:
    return blake2b(name.encode() + raw, digest_size=_DIGEST_SIZE).hexdigest().encode()


@cache
def _code_digest() -> bytes:
    """A digest of our source, of Python and of what reads for us."""
    from importlib.metadata import distribution

    found = blake2b(digest_size=_DIGEST_SIZE)
    root = os.path.dirname(__file__)  # noqa: PTH120 - a Path for each takes as long as reading it
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            {*folders} - (EXCLUDED_PACKAGES if folder == root else set())
        )
        for name in sorted(files):
            if name.endswith(".py"):
                path = f"{folder}/{name}"
                with open(path, "rb") as file:  # noqa: PTH123
                    found.update(path.removeprefix(root).encode() + file.read())
    # Their metadata have the version; to parse them takes longer than all of our code.
    libraries = [distribution(name).read_text("METADATA") for name in LIBRARIES]
    found.update(repr((sys.version, libraries)).encode())
    return found.digest()
