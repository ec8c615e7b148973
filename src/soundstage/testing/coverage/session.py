"""Coverage of a session of pytest: gathered from all its workers, told at its end.

Nothing heavy is imported before the session is over.
"""

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soundstage.testing.coverage import DATA

if TYPE_CHECKING:
    from soundstage.testing.coverage.figures import Figures
    from soundstage.types import Document

KEY = "soundstage_coverage"  # in what pytest-xdist carries home from a worker
JUDGED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


def add_options(group: pytest.OptionGroup) -> None:
    """What can be said on pytest's command line; each option turns coverage on."""
    add = group.addoption
    add(
        "--soundstage-coverage",
        action="store_true",
        help="tell what of the contracts the tests have exercised",
    )
    add(
        "--soundstage-coverage-fail-under",
        type=float,
        metavar="PERCENT",
        help="fail if less of the contracts is covered",
    )
    add(
        "--soundstage-coverage-api",
        action="append",
        metavar="NAME",
        help="of this API only; may be repeated (default: those that were called)",
    )
    add(
        "--soundstage-coverage-except",
        type=Path,
        metavar="FILE",
        help="YAML with what cannot be covered, and why",
    )
    add(
        "--soundstage-coverage-data",
        type=Path,
        metavar="FILE",
        help=f"where it is written for `soundstage coverage` (default: {DATA})",
    )


def is_wanted(config: pytest.Config) -> bool:
    """Whether any of the options is given."""
    names = ("", "_fail_under", "_api", "_except", "_data")
    given = (config.getoption(f"soundstage_coverage{name}") for name in names)
    return any(value not in (None, False) for value in given)


class CoverageSession:
    """A plugin that is registered where coverage is asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._parts: list[Document] = []
        self._lines: list[str] = []
        self._wrong: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker has covered; one that crashed tells nothing."""
        text = getattr(node, "workeroutput", {}).get(KEY)
        if text is None:
            self._lines.append("a worker crashed: what it covered is not counted")
        else:
            self._parts.append(json.loads(text))

    @pytest.hookimpl(trylast=True)  # fixtures of the session are torn down before
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send it home from a worker; else write, show and judge it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Connexion's imports warn
            own = _gathered()
            carried = getattr(self._config, "workeroutput", None)
            if carried is not None:
                carried[KEY] = json.dumps(own)
            elif session.exitstatus in JUDGED:
                self._lines += self._told([*self._parts, own])
                if self._wrong:
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show it."""
        if self._lines or self._wrong:
            terminalreporter.section("soundstage coverage")
            terminalreporter.write_line("\n".join(self._lines))
            for line in self._wrong:
                terminalreporter.write_line(f"soundstage: {line}", red=True)

    def _told(self, parts: "list[Document]") -> Iterator[str]:
        from soundstage.testing.coverage.data import joined
        from soundstage.testing.coverage.text import as_text

        place = self._config.getoption("soundstage_coverage_data") or Path(DATA)
        path = self._config.invocation_params.dir / place
        document = joined(parts)
        try:
            path.write_text(json.dumps(document) + "\n", encoding="utf-8")
        except OSError as error:
            self._wrong.append(f"cannot write {path}: {error.strerror}")
        if figures := self._judged(document):
            yield as_text(figures, brief=True)
            yield f"written: {place}; what is missing: soundstage coverage {place}"

    def _judged(self, document: "Document") -> "Figures | None":
        from soundstage.contract.violation import DocumentError
        from soundstage.testing.coverage.data import read
        from soundstage.testing.coverage.exceptions import load_exceptions
        from soundstage.testing.coverage.figures import figures_of, shortcomings

        option = self._config.getoption
        file, least = (
            option(f"soundstage_coverage_{name}") for name in ("except", "fail_under")
        )
        try:
            excepted = load_exceptions(file) if file else []
            chosen = option("soundstage_coverage_api") or ()
            figures = figures_of(read(document), chosen, excepted)
        except (DocumentError, ValueError) as error:
            self._wrong.append(str(error))
            return None
        self._wrong += shortcomings(figures, least)
        return figures


def _gathered() -> "Document":
    """What this process has covered; nothing, if it never had a world."""
    if "soundstage.testing.server" in sys.modules:
        from soundstage.testing.coverage.gathering import GATHERED
        from soundstage.testing.server import SHARED

        GATHERED.take_servers(SHARED)
    if gathering := sys.modules.get("soundstage.testing.coverage.gathering"):
        document: Document = gathering.GATHERED.as_json()
        return document
    return {"operations": []}
