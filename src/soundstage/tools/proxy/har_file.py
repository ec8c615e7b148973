"""An HTTP Archive that is complete after every exchange, whenever the process ends."""

from pathlib import Path

import orjson

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.har import build_har

_CLOSING = b"\n]}}\n"


class HarFile:
    """A HAR 1.2 file that grows. Raises ``OSError`` where it cannot be written."""

    def __init__(self, path: Path) -> None:
        log = build_har([])["log"]
        del log["entries"]
        head = orjson.dumps({"log": log}).removesuffix(b"}}")
        self._file = path.open("wb")
        self._file.write(head + b', "entries": [')
        self._end = self._file.tell()
        self._separator = b"\n"
        self._write_closing()

    def append(self, entry: JournalEntry) -> None:
        """Write down one exchange."""
        (written,) = build_har([entry])["log"]["entries"]
        self._file.seek(self._end)
        self._file.write(self._separator + orjson.dumps(written))
        self._end = self._file.tell()
        self._separator = b",\n"
        self._write_closing()

    def close(self) -> None:
        """Let the file go; it is complete already."""
        self._file.close()

    def _write_closing(self) -> None:
        self._file.write(_CLOSING)
        self._file.flush()
