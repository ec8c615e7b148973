"""Coverage figures as files: JSON, JUnit XML and a self-contained HTML page."""

import json
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

from soundstage.server.control.serializers import serialize_coverage
from soundstage.tools.coverage.figures import ApiFigures, Figures, OperationFigures
from soundstage.tools.coverage.items import CoverageItem
from soundstage.tools.coverage.report_text import COLUMNS, iter_notes, list_gaps
from soundstage.types import JsonObject

ReportRenderer = Callable[[Figures, bool], str]
"""Renders figures; the second argument is whether they failed the threshold."""


def write_reports(
    figures: Figures, formats: Iterable[str], folder: Path, *, failed: bool
) -> list[Path]:
    """Write a report in each format; returns the paths. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for report_format in formats:
        name, render = REPORT_FORMATS[report_format]
        path = folder / name
        path.write_text(render(figures, failed), encoding="utf-8")
        written.append(path)
    return written


def serialize_report(figures: Figures) -> JsonObject:
    """Return the figures as JSON; ``parse_coverage`` can read its operations."""
    return {
        "soundstage": version("soundstage"),
        "percent": figures.percent,
        "seen": figures.covered,
        "total": figures.total,
        "excused": figures.excused,
        "left_out": list(figures.omitted),
        "exceptions": {
            "stale": [str(exemption) for exemption in figures.stale],
            "needless": [str(exemption) for exemption in figures.needless],
        },
        "apis": {
            api.name: {"percent": api.percent, "seen": api.covered, "total": api.total}
            for api in figures.apis
        },
        "operations": [_serialize_operation(one) for api in figures.apis for one in api.operations],
    }


def _serialize_operation(figures: OperationFigures) -> JsonObject:
    # The keys of the control API, so that a report can be a source again.
    (coverage,) = serialize_coverage([figures.operation])["operations"]
    return {
        **coverage,
        "percent": figures.percent,
        "counts": {
            kind: {"seen": covered, "total": total}
            for kind, (covered, total) in figures.counts.items()
        },
        "missing": [_serialize_item(item) for item in figures.missing],
        "excused": [
            {**_serialize_item(item), "reason": reason} for item, reason in figures.excused
        ],
    }


def _serialize_item(item: CoverageItem) -> JsonObject:
    node: JsonObject = {"kind": item.kind, "name": item.name}
    if item.value:
        node["value"] = json.loads(item.value)
    return {key: value for key, value in node.items() if value != ""}


def render_junit(figures: Figures, *, failed: bool) -> str:
    """Render JUnit XML with a test case for each operation.

    An incomplete operation is a failure if the figures ``failed``, otherwise a skipped
    test, so that a report agrees with the exit code.
    """
    suites = ET.Element("testsuites", name="soundstage coverage")
    for api in figures.apis:
        suites.append(_build_suite(api, failed=failed))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _build_suite(api: ApiFigures, *, failed: bool) -> ET.Element:
    incomplete = sum(bool(one.missing) for one in api.operations)
    failures, skipped = (incomplete, 0) if failed else (0, incomplete)
    counts = {"tests": len(api.operations), "failures": failures, "skipped": skipped}
    suite = ET.Element("testsuite", name=api.name, errors="0", time="0")
    suite.attrib |= {name: str(count) for name, count in counts.items()}
    for one in api.operations:
        name = {"name": one.operation.operation, "classname": api.name, "time": "0"}
        case = ET.SubElement(suite, "testcase", name)
        if one.missing:
            message = f"{one.covered} of {one.total} covered"
            kind = "failure" if failed else "skipped"
            outcome = ET.SubElement(case, kind, message=message)
            outcome.text = "\n".join(list_gaps(one))
    return suite


def render_html(figures: Figures) -> str:
    """Render an HTML page."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    return environment.get_template("page.html").render(
        figures=figures, columns=COLUMNS, list_gaps=list_gaps, notes=list(iter_notes(figures))
    )


REPORT_FORMATS: dict[str, tuple[str, ReportRenderer]] = {
    "json": (
        "coverage.json",
        lambda figures, _: json.dumps(serialize_report(figures), indent=1) + "\n",
    ),
    "junit": ("coverage.xml", lambda figures, failed: render_junit(figures, failed=failed)),
    "html": ("coverage.html", lambda figures, _: render_html(figures)),
}
"""Format -> (name of the file, renderer)."""
