"""A cache on disk for data derived from files, in the user's cache folder.

The name of an entry contains a digest of everything that the data is derived from: the
texts that were read, our own code, the libraries that parse them. So an entry is never
out of date; after any change another entry is looked up (docs/adr/0008). An entry is
JSON after a checksum: an entry that is damaged, or that another user wrote, is treated
as missing. No function here raises an error: without a writable folder, the data is
derived anew by each process.
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
"""Beyond this number, the oldest entries are deleted."""

LIBRARIES = ("faker", "jsonpath-rfc9535", "jsonschema-rs", "pyyaml")

EXCLUDED_PACKAGES = {"cli", "exchange", "pytest_plugin", "server", "tools"}
"""Our packages whose code is not part of the digest.

They use cached data, but nothing cached is derived from their code: the packages that
derive it may not import them (ARCHITECTURE.md).
"""

_DIGEST_SIZE = 32  # bytes


def entry_name(kind: str, *parts: str | bytes) -> str:
    """Return the name of the entry that is derived from these texts and our code."""
    digest = blake2b(_code_digest(), digest_size=_DIGEST_SIZE)
    for part in (kind, *parts):
        raw = part.encode() if isinstance(part, str) else part
        # The length separates the parts: ("ab", "c") is not ("a", "bc").
        digest.update(b"%d:" % len(raw))
        digest.update(raw)
    return f"{kind}-{digest.hexdigest()}.json"


def get(name: str) -> Json:
    """Return the value of an entry, or ``None`` if it is missing."""
    with suppress(OSError, ValueError, RuntimeError):
        raw = _read_own_file(_cache_folder() / name)
        if raw[: 2 * _DIGEST_SIZE] == _checksum(name, raw[2 * _DIGEST_SIZE :]):
            return orjson.loads(raw[2 * _DIGEST_SIZE :])
    return None


def put(name: str, value: Json) -> None:
    """Store a value, if possible; other processes read all of it or nothing.

    A value that JSON does not preserve, such as infinity, is not stored.
    """
    with suppress(OSError, RuntimeError, TypeError):
        raw = orjson.dumps(value)
        if orjson.loads(raw) != value:
            return
        folder = _cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written to a file of its own and renamed, which is atomic.
        draft = folder / f"{name}.{os.getpid()}"
        draft.write_bytes(_checksum(name, raw) + raw)
        draft.chmod(0o600)
        draft.replace(folder / name)
        entries = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in entries[:-MAX_ENTRIES]:
            path.unlink()


def _cache_folder() -> Path:
    """Return our folder by the XDG Base Directory Specification."""
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The specification requires that relative paths are ignored.
    base = configured if configured.is_absolute() else Path.home() / ".cache"
    return base / "soundstage"


def _read_own_file(path: Path) -> bytes:
    """Read a file; raise ``PermissionError`` if another user could have written it."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
            raise PermissionError(path)
        return file.read()


def _checksum(name: str, raw: bytes) -> bytes:
    return blake2b(name.encode() + raw, digest_size=_DIGEST_SIZE).hexdigest().encode()


@cache
def _code_digest() -> bytes:
    """Return a digest of our source, of Python and of the libraries that parse."""
    # Imported here: it takes longer than the rest of this module.
    from importlib.metadata import distribution

    digest = blake2b(digest_size=_DIGEST_SIZE)
    root = os.path.dirname(__file__)  # noqa: PTH120 - a Path for each takes as long as reading it
    for folder, folders, files in os.walk(root):
        excluded = EXCLUDED_PACKAGES if folder == root else set()
        folders[:] = sorted({*folders} - excluded)
        for name in sorted(files):
            if name.endswith(".py"):
                path = f"{folder}/{name}"
                with open(path, "rb") as file:  # noqa: PTH123
                    digest.update(path.removeprefix(root).encode() + file.read())
    # The metadata contain the version; parsing them would take longer than reading
    # all of our code.
    libraries = [distribution(name).read_text("METADATA") for name in LIBRARIES]
    digest.update(repr((sys.version, libraries)).encode())
    return digest.digest()
