"""A progress line for terminals."""

import shutil
import sys

_ERASE_LINE = "\r\x1b[2K"


class ProgressLine:
    """One line on standard error, rewritten in place; silent if that is no terminal."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Replace the line, cut to the width of the terminal."""
        width = shutil.get_terminal_size().columns - 1
        self._write(_ERASE_LINE + text[:width])

    def clear(self) -> None:
        """Erase the line."""
        self._write(_ERASE_LINE)

    def _write(self, text: str) -> None:
        if self._is_terminal:
            sys.stderr.write(text)
            sys.stderr.flush()
