"""An HTTP Archive that is complete after every exchange, whenever the process ends."""

from pathlib import Path

import orjson

from soundstage.server.journal.entry import Entry
from soundstage.server.journal.har import har_of

_TAIL = b"\n]}}\n"


class Tape:
    """A HAR 1.2 file that grows. Raises ``OSError`` where it cannot be written."""

    def __init__(self, path: Path) -> None:
        log = har_of([])["log"]
        del log["entries"]
        head = orjson.dumps({"log": log}).removesuffix(b"}}")
        self._file = path.open("wb")
        self._file.write(head + b', "entries": [')
        self._end = self._file.tell()
        self._joint = b"\n"
        self._close_off()

    def add(self, entry: Entry) -> None:
        """Write down one exchange."""
        (written,) = har_of([entry])["log"]["entries"]
        self._file.seek(self._end)
        self._file.write(self._joint + orjson.dumps(written))
        self._end = self._file.tell()
        self._joint = b",\n"
        self._close_off()

    def close(self) -> None:
        """Let the file go; it is complete already."""
        self._file.close()

    def _close_off(self) -> None:
        self._file.write(_TAIL)
        self._file.flush()
