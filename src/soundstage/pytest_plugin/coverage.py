"""Contract coverage of a pytest session, merged from all workers of pytest-xdist.

The package is imported at the end of the session, and only if coverage is enabled.
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

WORKER_OUTPUT_KEY = "soundstage_coverage"
"""Key in the ``workeroutput`` that pytest-xdist sends from a worker."""

REPORTED_EXIT_CODES = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
"""Sessions that ended otherwise, by Ctrl-C for instance, have no report."""


def add_options(group: pytest.OptionGroup) -> None:
    """Add the options to pytest's command line; each one enables coverage."""
    add = group.addoption
    add(
        "--soundstage-coverage",
        action="store_true",
        help="report how much of the contracts the tests exercise",
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
        help="report only this API; may be repeated (default: those that were called)",
    )
    add(
        "--soundstage-coverage-except",
        type=Path,
        metavar="FILE",
        help="YAML file of items that cannot be covered, each with a reason",
    )
    add(
        "--soundstage-coverage-data",
        type=Path,
        metavar="FILE",
        help=f"data file to write for `soundstage coverage` (default: {DEFAULT_DATA_FILE})",
    )


def is_enabled(config: pytest.Config) -> bool:
    """Whether any of the options is set."""
    names = ("", "_fail_under", "_api", "_except", "_data")
    values = (config.getoption(f"soundstage_coverage{name}") for name in names)
    return any(value not in (None, False) for value in values)


class CoverageSession:
    """A pytest plugin that collects and reports coverage."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker_documents: list[JsonObject] = []
        self._lines: list[str] = []
        self._errors: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Store the coverage of a worker; a crashed one has sent none."""
        text = getattr(node, "workeroutput", {}).get(WORKER_OUTPUT_KEY)
        if text is None:
            self._lines.append("a worker crashed: what it covered is not counted")
        else:
            self._worker_documents.append(json.loads(text))

    @pytest.hookimpl(trylast=True)  # after the teardown of session fixtures
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the coverage of a worker to the controller, or write the report."""
        with warnings.catch_warnings():
            # Imports of Connexion emit warnings, which are errors with -W error.
            warnings.simplefilter("ignore")
            own = _collect_coverage()
            worker_output = getattr(self._config, "workeroutput", None)
            if worker_output is not None:
                worker_output[WORKER_OUTPUT_KEY] = json.dumps(own)
            elif session.exitstatus in REPORTED_EXIT_CODES:
                self._lines += self._write_report([*self._worker_documents, own])
                if self._errors:
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the report."""
        if self._lines or self._errors:
            terminalreporter.section("soundstage coverage")
            terminalreporter.write_line("\n".join(self._lines))
            for line in self._errors:
                terminalreporter.write_line(f"soundstage: {line}", red=True)

    def _write_report(self, documents: "list[JsonObject]") -> Iterator[str]:
        from soundstage.tools.coverage.data import merge_documents
        from soundstage.tools.coverage.report_text import format_report

        option = self._config.getoption("soundstage_coverage_data")
        file = option or Path(DEFAULT_DATA_FILE)
        path = self._config.invocation_params.dir / file
        document = merge_documents(documents)
        try:
            path.write_text(json.dumps(document) + "\n", encoding="utf-8")
        except OSError as error:
            self._errors.append(f"cannot write {path}: {error.strerror}")
        if figures := self._compute_figures(document):
            yield format_report(figures, is_brief=True)
            yield f"written: {file}; what is missing: soundstage coverage {file}"

    def _compute_figures(self, document: "JsonObject") -> "Figures | None":
        from soundstage.openapi.errors import DocumentError
        from soundstage.tools.coverage.data import parse_coverage
        from soundstage.tools.coverage.exceptions import load_exemptions
        from soundstage.tools.coverage.figures import compute_figures, find_shortcomings

        option = self._config.getoption
        file = option("soundstage_coverage_except")
        try:
            exemptions = load_exemptions(file) if file else []
            apis = option("soundstage_coverage_api") or ()
            figures = compute_figures(parse_coverage(document), apis, exemptions)
        except (DocumentError, ValueError) as error:
            self._errors.append(str(error))
            return None
        self._errors += find_shortcomings(figures, option("soundstage_coverage_fail_under"))
        return figures


def _collect_coverage() -> "JsonObject":
    """Return the coverage of this process; empty if it never had a world."""
    # Modules that no test has imported have nothing to report, and are not imported.
    if "soundstage.server.background" in sys.modules:
        from soundstage.server.background import SHARED_SERVERS
        from soundstage.tools.coverage.collector import COLLECTOR

        COLLECTOR.add_servers(SHARED_SERVERS)
    if "soundstage.tools.coverage.collector" in sys.modules:
        from soundstage.tools.coverage.collector import COLLECTOR

        return COLLECTOR.to_json()
    return {"operations": []}
