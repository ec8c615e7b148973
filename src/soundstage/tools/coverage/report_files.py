"""Reports of coverage as files: JSON, JUnit and a page that needs no other file."""

import json
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

from soundstage.server.control import serializers
from soundstage.tools.coverage.figures import ApiFigures, Figures, OperationFigures
from soundstage.tools.coverage.items import CoverageItem
from soundstage.tools.coverage.report_text import COLUMNS, iter_notes, list_gaps
from soundstage.types import JsonObject

ReportRenderer = Callable[[Figures, bool], str]


def write_reports(
    figures: Figures, formats: Iterable[str], folder: Path, *, failed: bool
) -> list[Path]:
    """Write ``coverage.<kind>`` of each kind; gives where. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in formats:
        name, write = REPORT_FORMATS[kind]
        path = folder / name
        path.write_text(write(figures, failed), encoding="utf-8")
        written.append(path)
    return written


def serialize_report(figures: Figures) -> JsonObject:
    """The figures; its ``operations`` are such as ``soundstage coverage`` reads."""
    return {
        "soundstage": version("soundstage"),
        "percent": figures.percent,
        "seen": figures.seen,
        "total": figures.total,
        "excused": figures.excused,
        "left_out": list(figures.omitted),
        "exceptions": {
            "stale": [str(one) for one in figures.stale],
            "needless": [str(one) for one in figures.needless],
        },
        "apis": {
            api.name: {"percent": api.percent, "seen": api.seen, "total": api.total}
            for api in figures.apis
        },
        "operations": [_serialize_row(row) for api in figures.apis for row in api.rows],
    }


def _serialize_row(row: OperationFigures) -> JsonObject:
    (covered,) = serializers.serialize_coverage([row.covered])["operations"]
    counts = {kind: {"seen": s, "total": t} for kind, (s, t) in row.counts.items()}
    return {
        **covered,
        "percent": row.percent,
        "counts": counts,
        "missing": [_serialize_item(item) for item in row.missing],
        "excused": [
            {**_serialize_item(i), "reason": reason} for i, reason in row.excused
        ],
    }


def _serialize_item(item: CoverageItem) -> JsonObject:
    node: JsonObject = {"kind": item.kind, "name": item.name}
    if item.value:
        node["value"] = json.loads(item.value)
    return {key: value for key, value in node.items() if value != ""}


def render_junit(figures: Figures, *, failed: bool) -> str:
    """A test case for each operation.

    What is missing makes it fail if the whole is not enough; else it is skipped.
    """
    suites = ET.Element("testsuites", name="soundstage coverage")
    for api in figures.apis:
        suites.append(_build_suite(api, failed=failed))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _build_suite(api: ApiFigures, *, failed: bool) -> ET.Element:
    lacking = sum(bool(row.missing) for row in api.rows)
    failures, skipped = (lacking, 0) if failed else (0, lacking)
    counts = {"tests": len(api.rows), "failures": failures, "skipped": skipped}
    suite = ET.Element("testsuite", name=api.name, errors="0", time="0")
    suite.attrib |= {name: str(count) for name, count in counts.items()}
    for row in api.rows:
        name = {"name": row.covered.operation, "classname": api.name, "time": "0"}
        case = ET.SubElement(suite, "testcase", name)
        if row.missing:
            message = f"{row.seen} of {row.total} covered"
            kind = "failure" if failed else "skipped"
            outcome = ET.SubElement(case, kind, message=message)
            outcome.text = "\n".join(list_gaps(row))
    return suite


def render_html(figures: Figures) -> str:
    """A page."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True
    )
    page = environment.get_template("page.html")
    return page.render(
        figures=figures,
        heads=COLUMNS,
        gaps_of=list_gaps,
        notes=list(iter_notes(figures)),
    )


REPORT_FORMATS: dict[str, tuple[str, ReportRenderer]] = {
    "json": (
        "coverage.json",
        lambda f, _: json.dumps(serialize_report(f), indent=1) + "\n",
    ),
    "junit": ("coverage.xml", lambda f, failed: render_junit(f, failed=failed)),
    "html": ("coverage.html", lambda f, _: render_html(f)),
}
