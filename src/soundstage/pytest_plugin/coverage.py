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

from soundstage.tools.coverage import DEFAULT_DATA_FILE

if TYPE_CHECKING:
    from soundstage.tools.coverage.figures import Figures
    from soundstage.types import JsonObject

WORKER_OUTPUT_KEY = (
    "soundstage_coverage"  # in what pytest-xdist carries home from a worker
)
REPORTED_EXIT_CODES = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


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
        help="where it is written for `soundstage coverage` "
        f"(default: {DEFAULT_DATA_FILE})",
    )


def is_enabled(config: pytest.Config) -> bool:
    """Whether any of the options is given."""
    names = ("", "_fail_under", "_api", "_except", "_data")
    given = (config.getoption(f"soundstage_coverage{name}") for name in names)
    return any(value not in (None, False) for value in given)


class CoverageSession:
    """A plugin that is registered where coverage is asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker_documents: list[JsonObject] = []
        self._lines: list[str] = []
        self._errors: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker has covered; one that crashed tells nothing."""
        text = getattr(node, "workeroutput", {}).get(WORKER_OUTPUT_KEY)
        if text is None:
            self._lines.append("a worker crashed: what it covered is not counted")
        else:
            self._worker_documents.append(json.loads(text))

    @pytest.hookimpl(trylast=True)  # fixtures of the session are torn down before
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send it home from a worker; else write, show and judge it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Connexion's imports warn
            own = _collect_coverage()
            carried = getattr(self._config, "workeroutput", None)
            if carried is not None:
                carried[WORKER_OUTPUT_KEY] = json.dumps(own)
            elif session.exitstatus in REPORTED_EXIT_CODES:
                self._lines += self._write_report([*self._worker_documents, own])
                if self._errors:
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show it."""
        if self._lines or self._errors:
            terminalreporter.section("soundstage coverage")
            terminalreporter.write_line("\n".join(self._lines))
            for line in self._errors:
                terminalreporter.write_line(f"soundstage: {line}", red=True)

    def _write_report(self, documents: "list[JsonObject]") -> Iterator[str]:
        from soundstage.tools.coverage.data import merge_documents
        from soundstage.tools.coverage.report_text import format_report

        place = self._config.getoption("soundstage_coverage_data") or Path(
            DEFAULT_DATA_FILE
        )
        path = self._config.invocation_params.dir / place
        document = merge_documents(documents)
        try:
            path.write_text(json.dumps(document) + "\n", encoding="utf-8")
        except OSError as error:
            self._errors.append(f"cannot write {path}: {error.strerror}")
        if figures := self._compute_figures(document):
            yield format_report(figures, is_brief=True)
            yield f"written: {place}; what is missing: soundstage coverage {place}"

    def _compute_figures(self, document: "JsonObject") -> "Figures | None":
        from soundstage.openapi.errors import DocumentError
        from soundstage.tools.coverage.data import parse_coverage
        from soundstage.tools.coverage.exceptions import load_exemptions
        from soundstage.tools.coverage.figures import compute_figures, find_shortcomings

        option = self._config.getoption
        file, least = (
            option(f"soundstage_coverage_{name}") for name in ("except", "fail_under")
        )
        try:
            excepted = load_exemptions(file) if file else []
            chosen = option("soundstage_coverage_api") or ()
            figures = compute_figures(parse_coverage(document), chosen, excepted)
        except (DocumentError, ValueError) as error:
            self._errors.append(str(error))
            return None
        self._errors += find_shortcomings(figures, least)
        return figures


def _collect_coverage() -> "JsonObject":
    """What this process has covered; nothing, if it never had a world."""
    if "soundstage.server.background" in sys.modules:
        from soundstage.server.background import SHARED_SERVERS
        from soundstage.tools.coverage.collector import GATHERED

        GATHERED.add_servers(SHARED_SERVERS)
    if gathering := sys.modules.get("soundstage.tools.coverage.collector"):
        document: JsonObject = gathering.GATHERED.as_json()
        return document
    return {"operations": []}
