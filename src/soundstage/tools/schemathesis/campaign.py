"""What schemathesis is to send where: its configuration and its command line."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from soundstage.tools.checks.operation_spec import OperationIndex, OperationSpec
from soundstage.tools.checks.streams import EVENT_STREAM
from soundstage.types import Document, Json

PHASES = ("examples", "coverage", "fuzzing", "stateful")

MOCK_TIMEOUT_S = 60.0
"""Seconds that a mock of ours may take for an answer: its machine may be busy."""

STREAM_TIMEOUT_S = 1.0
"""Seconds that another's stream is read: it may have no end."""

REPORT_FORMATS = ("junit", "har", "html", "json", "ndjson", "vcr")


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
    semantic_checks: tuple[str, ...] = ()
    checks: tuple[str, ...] = ("all",)
    excluded_checks: tuple[str, ...] = ()
    documented_methods_only: bool = False
    rate: float | None = None
    is_mock: bool = False
    reports: tuple[str, ...] = ()
    report_dir: Path | None = None
    hooks_module: str = "soundstage.tools.schemathesis.hooks"

    def build_environment(self) -> dict[str, str]:
        """Variables of the process: its extension, and the secrets."""
        names = {_secret_variable(i): s for i, s in enumerate(self.secrets.values())}
        rules = ",".join(self.semantic_checks)
        return {
            "SCHEMATHESIS_HOOKS": self.hooks_module,
            "SOUNDSTAGE_CAMPAIGN_URL": self.url,
            "SOUNDSTAGE_CAMPAIGN_RULES": rules,
            "SOUNDSTAGE_CAMPAIGN_OWN": "yes" if self.is_mock else "",
            "SOUNDSTAGE_CAMPAIGN_AFRESH": "yes" if self.resets_per_operation else "",
            **names,
        }

    def build_arguments(self, document_path: Path) -> list[str]:
        """The command line, from ``run`` on."""
        words = ["run", str(document_path), "--url", self.url, "--seed", str(self.seed)]
        words += ["--max-examples", str(self.max_examples)]
        words += ["--workers", str(self.workers), "--phases", ",".join(self.phases)]
        words += ["--checks", ",".join(self.checks), "--continue-on-failure"]
        words += ["--suppress-health-check", "all", "--warnings", "off"]
        if self.excluded_checks:
            words += ["--exclude-checks", ",".join(self.excluded_checks)]
        if self.rate:
            words += ["--rate-limit", _format_rate(self.rate)]
        for operation in self._select_operations():
            words += ["--include-name", operation.label]
        if self.reports and self.report_dir:
            words += ["--report", ",".join(self.reports)]
            for report in self.reports:
                words += self._build_report_arguments(report, self.report_dir)
        return words

    def _select_operations(self) -> Iterator[OperationSpec]:
        catalogue = OperationIndex(self.document)
        for name in self.operations:
            if operation := catalogue.find(name):
                yield operation

    @property
    def resets_per_operation(self) -> bool:
        """Whether each operation begins with the world as it was made."""
        return self.is_mock and self.workers == 1

    @staticmethod
    def _build_report_arguments(report_format: str, folder: Path) -> list[str]:
        suffix = {"junit": ".xml", "html": "", "vcr": ".yaml"}.get(
            report_format, f".{report_format}"
        )
        return [
            f"--report-{report_format}-path",
            str(folder / f"{report_format}{suffix}"),
        ]

    def build_config(self, cache_folder: Path) -> str:
        """The configuration file, as TOML."""
        generation: Document = {"database": "none"}
        coverage: Document = {}
        if self.documented_methods_only:
            coverage["unexpected-methods"] = []
        tables: Document = {
            "cache": {"enabled": True, "directory": str(cache_folder)},
            "generation": generation,
            "phases": {"coverage": coverage},
            "output": {"sanitization": {"enabled": not self.is_mock}},
            "dictionaries": {
                f"d{i}": {"values": values}
                for i, values in enumerate(self.values.values())
            },
            "operations": list(self._build_operation_config()),
        }
        if self.is_mock:
            tables["request-timeout"] = MOCK_TIMEOUT_S
        if credentials := dict(self._build_auth_config()):
            tables["auth"] = {"openapi": credentials}
        return "".join(
            f"{key} = {_serialize_toml(value)}\n" for key, value in tables.items()
        )

    def _build_auth_config(self) -> Iterator[tuple[str, Document]]:
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        for i, (name, secret) in enumerate(self.secrets.items()):
            variable = f"${{{_secret_variable(i)}}}"
            match schemes.get(name, {}):
                case {"type": "apiKey"}:
                    yield name, {"api_key": variable}
                case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
                    user, _, password = secret.partition(":")
                    yield name, {"username": user, "password": password}
                case {"type": _}:
                    yield name, {"bearer": variable}

    def _build_operation_config(self) -> Iterator[Document]:
        for operation in OperationIndex(self.document).operations.values():
            about: Document = {}
            if _has_stream(operation) and not self.is_mock:
                about["request-timeout"] = STREAM_TIMEOUT_S
            # What is known is not deleted: it would be missed by all that follows.
            if operation.method != "delete" and (
                bound := self._bind_parameters(operation)
            ):
                about["parameters"] = bound
            if about:
                yield {"include-name": operation.label, **about}

    def _bind_parameters(self, operation: OperationSpec) -> Document:
        """The parameters whose values are known, and where they are."""
        numbers = {name: i for i, name in enumerate(self.values)}
        return {
            parameter.key: {"dictionary": f"d{numbers[known]}", "probability": 0.7}
            for parameter in operation.parameters
            if (known := self.find_values_key(operation, parameter.key))
        }

    def find_values_key(
        self, operation: OperationSpec, parameter_key: str
    ) -> str | None:
        """The name under which values of a parameter are known."""
        name = parameter_key.partition(".")[2]
        names = (f"{operation.label} {parameter_key}", parameter_key, name)
        return next((name for name in names if name in self.values), None)


def prepare_document(campaign: Campaign) -> Document:
    """The document as schemathesis is given it.

    It has no schemas of streams, which schemathesis reads otherwise, and examples of
    parameters that are known to lead somewhere: what is covered begins with these.
    """
    changed: Document = copy.deepcopy(campaign.document)
    operations = OperationIndex(changed).operations.values()
    for owner in [changed.get("components", {}), *(one.node for one in operations)]:
        for answer in owner.get("responses", {}).values():
            if EVENT_STREAM in answer.get("content", {}):
                answer["content"][EVENT_STREAM] = {}
    for operation in operations:
        for node in operation.iter_parameter_nodes():
            known = campaign.find_values_key(operation, f"{node['in']}.{node['name']}")
            if known and not {"example", "examples"} & node.keys():
                node["example"] = campaign.values[known][0]
    return changed


def _format_rate(per_second: float) -> str:
    """A rate in whole numbers: so many a second, or an hour."""
    if per_second == int(per_second):
        return f"{int(per_second)}/s"
    return f"{max(1, int(per_second * 3_600))}/h"


def _has_stream(operation: OperationSpec) -> bool:
    answers = map(operation.resolve, operation.node.get("responses", {}).values())
    return any(EVENT_STREAM in answer.get("content", {}) for answer in answers)


def _secret_variable(number: int) -> str:
    return f"SOUNDSTAGE_CAMPAIGN_SECRET_{number}"


def _serialize_toml(value: Json) -> str:
    """A value of TOML, on one line; its texts are JSON's."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k)} = {_serialize_toml(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_serialize_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
