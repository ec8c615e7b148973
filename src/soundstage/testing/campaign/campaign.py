"""What schemathesis is to send where: its configuration and its command line."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from soundstage.testing.semantics.described import Catalogue, Described
from soundstage.testing.semantics.streams import STREAM
from soundstage.types import Document, Json

PHASES = ("examples", "coverage", "fuzzing", "stateful")

PATIENCE = 60.0
"""Seconds that a mock of ours may take for an answer: its machine may be busy."""

STREAM_PATIENCE = 1.0
"""Seconds that another's stream is read: it may have no end."""

REPORTS = ("junit", "har", "html", "json", "ndjson", "vcr")


@dataclass(frozen=True, slots=True)
class Campaign:
    """Requests that follow from a document, for one server.

    ``secrets`` are by security scheme, ``values`` known ones by parameter
    (``runID``, ``path.runID``, ``GET /runs/{runID} path.runID``). All
    ``operations`` (ids or labels) are meant if there is none; ``rules`` are those of
    ``semantics``, and ``without`` checks that are not made. ``max_time`` is in seconds,
    ``rate`` requests a second. ``own`` says that the server is a mock of ours, whose
    credentials are no secrets, ``as_described`` that only documented methods are sent.
    """

    document: Document
    url: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, list[str]] = field(default_factory=dict)
    seed: int = 0
    max_examples: int = 100
    max_time: float | None = None
    workers: int = 1
    phases: tuple[str, ...] = PHASES
    operations: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    checks: tuple[str, ...] = ("all",)
    without: tuple[str, ...] = ()
    as_described: bool = False
    rate: float | None = None
    own: bool = False
    reports: tuple[str, ...] = ()
    report_dir: Path | None = None
    extension: str = "soundstage.testing.campaign.inside"

    def environment(self) -> dict[str, str]:
        """Variables of the process: its extension, and the secrets."""
        names = {_variable(i): s for i, s in enumerate(self.secrets.values())}
        rules = ",".join(self.rules)
        return {
            "SCHEMATHESIS_HOOKS": self.extension,
            "SOUNDSTAGE_CAMPAIGN_URL": self.url,
            "SOUNDSTAGE_CAMPAIGN_RULES": rules,
            "SOUNDSTAGE_CAMPAIGN_OWN": "yes" if self.own else "",
            "SOUNDSTAGE_CAMPAIGN_AFRESH": "yes" if self.afresh else "",
            **names,
        }

    def words(self, document: Path) -> list[str]:
        """The command line, from ``run`` on."""
        words = ["run", str(document), "--url", self.url, "--seed", str(self.seed)]
        words += ["--max-examples", str(self.max_examples)]
        words += ["--workers", str(self.workers), "--phases", ",".join(self.phases)]
        words += ["--checks", ",".join(self.checks), "--continue-on-failure"]
        words += ["--suppress-health-check", "all", "--warnings", "off"]
        if self.without:
            words += ["--exclude-checks", ",".join(self.without)]
        if self.rate:
            words += ["--rate-limit", _rate(self.rate)]
        for operation in self._chosen():
            words += ["--include-name", operation.label]
        if self.reports and self.report_dir:
            words += ["--report", ",".join(self.reports)]
            for report in self.reports:
                words += self._report(report, self.report_dir)
        return words

    def _chosen(self) -> Iterator[Described]:
        catalogue = Catalogue(self.document)
        for name in self.operations:
            if operation := catalogue.named(name):
                yield operation

    @property
    def afresh(self) -> bool:
        """Whether each operation begins with the world as it was made."""
        return self.own and self.workers == 1

    @staticmethod
    def _report(report: str, folder: Path) -> list[str]:
        suffix = {"junit": ".xml", "html": "", "vcr": ".yaml"}.get(report, f".{report}")
        return [f"--report-{report}-path", str(folder / f"{report}{suffix}")]

    def config(self, cache: Path) -> str:
        """The configuration file, as TOML."""
        generation: Document = {"database": "none"}
        coverage: Document = {}
        if self.as_described:
            coverage["unexpected-methods"] = []
        tables: Document = {
            "cache": {"enabled": True, "directory": str(cache)},
            "generation": generation,
            "phases": {"coverage": coverage},
            "output": {"sanitization": {"enabled": not self.own}},
            "dictionaries": {
                f"d{i}": {"values": values}
                for i, values in enumerate(self.values.values())
            },
            "operations": list(self._operations()),
        }
        if self.own:
            tables["request-timeout"] = PATIENCE
        if credentials := dict(self._credentials()):
            tables["auth"] = {"openapi": credentials}
        return "".join(f"{key} = {_toml(value)}\n" for key, value in tables.items())

    def _credentials(self) -> Iterator[tuple[str, Document]]:
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        for i, (name, secret) in enumerate(self.secrets.items()):
            variable = f"${{{_variable(i)}}}"
            match schemes.get(name, {}):
                case {"type": "apiKey"}:
                    yield name, {"api_key": variable}
                case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
                    user, _, password = secret.partition(":")
                    yield name, {"username": user, "password": password}
                case {"type": _}:
                    yield name, {"bearer": variable}

    def _operations(self) -> Iterator[Document]:
        for operation in Catalogue(self.document).operations.values():
            about: Document = {}
            if _streams(operation) and not self.own:
                about["request-timeout"] = STREAM_PATIENCE
            # What is known is not deleted: it would be missed by all that follows.
            if operation.method != "delete" and (bound := self._bound(operation)):
                about["parameters"] = bound
            if about:
                yield {"include-name": operation.label, **about}

    def _bound(self, operation: Described) -> Document:
        """The parameters whose values are known, and where they are."""
        numbers = {name: i for i, name in enumerate(self.values)}
        return {
            parameter.key: {"dictionary": f"d{numbers[known]}", "probability": 0.7}
            for parameter in operation.parameters
            if (known := self.known(operation, parameter.key))
        }

    def known(self, operation: Described, key: str) -> str | None:
        """The name under which values of a parameter are known."""
        name = key.partition(".")[2]
        names = (f"{operation.label} {key}", key, name)
        return next((name for name in names if name in self.values), None)


def as_sent(campaign: Campaign) -> Document:
    """The document as schemathesis is given it.

    It has no schemas of streams, which schemathesis reads otherwise, and examples of
    parameters that are known to lead somewhere: what is covered begins with these.
    """
    changed: Document = copy.deepcopy(campaign.document)
    operations = Catalogue(changed).operations.values()
    for owner in [changed.get("components", {}), *(one.node for one in operations)]:
        for answer in owner.get("responses", {}).values():
            if STREAM in answer.get("content", {}):
                answer["content"][STREAM] = {}
    for operation in operations:
        for node in operation.parameter_nodes():
            known = campaign.known(operation, f"{node['in']}.{node['name']}")
            if known and not {"example", "examples"} & node.keys():
                node["example"] = campaign.values[known][0]
    return changed


def _rate(a_second: float) -> str:
    """A rate in whole numbers: so many a second, or an hour."""
    if a_second == int(a_second):
        return f"{int(a_second)}/s"
    return f"{max(1, int(a_second * 3_600))}/h"


def _streams(operation: Described) -> bool:
    answers = map(operation.followed, operation.node.get("responses", {}).values())
    return any(STREAM in answer.get("content", {}) for answer in answers)


def _variable(number: int) -> str:
    return f"SOUNDSTAGE_CAMPAIGN_SECRET_{number}"


def _toml(value: Json) -> str:
    """A value of TOML, on one line; its texts are JSON's."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
