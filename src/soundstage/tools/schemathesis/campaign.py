"""A campaign: the configuration and command line of one run of schemathesis."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from soundstage.tools.checks.operation_spec import OperationIndex, OperationSpec
from soundstage.tools.checks.streams import EVENT_STREAM
from soundstage.types import Json, JsonObject

PHASES = ("examples", "coverage", "fuzzing", "stateful")

MOCK_TIMEOUT_S = 60.0
"""Response timeout of a mock, generous because its machine may be busy."""

STREAM_TIMEOUT_S = 1.0
"""Response timeout for streams of other servers, which may never end."""

REPORT_FORMATS = ("junit", "har", "html", "json", "ndjson", "vcr")


@dataclass(frozen=True, slots=True)
class Campaign:
    """The requests to generate from a document for one server.

    - ``secrets``: by security scheme.
    - ``values``: known values by parameter (``runID``, ``path.runID`` or
      ``GET /runs/{runID} path.runID``).
    - ``operations``: ids or labels; all operations if empty.
    - ``semantic_checks``: names of ``tools.checks.CHECKS``; ``checks`` and
      ``excluded_checks`` are checks of schemathesis.
    - ``max_time``: seconds. ``rate``: requests per second.
    - ``is_mock``: the server is a mock, whose credentials are not secret.

    >>> Campaign({}, "http://localhost").build_arguments(Path("api.json"))[:4]
    ['run', 'api.json', '--url', 'http://localhost']
    """

    document: JsonObject
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
        """Build the environment variables for the hooks, and for the secrets."""
        secrets = {_secret_variable(i): s for i, s in enumerate(self.secrets.values())}
        return {
            "SCHEMATHESIS_HOOKS": self.hooks_module,
            "SOUNDSTAGE_CAMPAIGN_URL": self.url,
            "SOUNDSTAGE_CAMPAIGN_CHECKS": ",".join(self.semantic_checks),
            "SOUNDSTAGE_CAMPAIGN_IS_MOCK": "yes" if self.is_mock else "",
            "SOUNDSTAGE_CAMPAIGN_RESET": "yes" if self.resets_per_operation else "",
            **secrets,
        }

    def build_arguments(self, document_path: Path) -> list[str]:
        """Build the arguments of schemathesis, starting with ``run``."""
        arguments = ["run", str(document_path), "--url", self.url, "--seed", str(self.seed)]
        arguments += ["--max-examples", str(self.max_examples)]
        arguments += ["--workers", str(self.workers), "--phases", ",".join(self.phases)]
        # One failure must not hide further ones of the same operation.
        arguments += ["--checks", ",".join(self.checks), "--continue-on-failure"]
        # Slow or filtered generation is not a property of the server.
        arguments += ["--suppress-health-check", "all", "--warnings", "off"]
        if self.excluded_checks:
            arguments += ["--exclude-checks", ",".join(self.excluded_checks)]
        if self.rate:
            arguments += ["--rate-limit", _format_rate(self.rate)]
        for operation in self._select_operations():
            arguments += ["--include-name", operation.label]
        if self.reports and self.report_dir:
            arguments += ["--report", ",".join(self.reports)]
            for report in self.reports:
                arguments += self._build_report_arguments(report, self.report_dir)
        return arguments

    def _select_operations(self) -> Iterator[OperationSpec]:
        operations = OperationIndex(self.document)
        for name in self.operations:
            if operation := operations.find(name):
                yield operation

    @property
    def resets_per_operation(self) -> bool:
        """Whether the world of a mock is reset before each operation."""
        return self.is_mock and self.workers == 1

    @staticmethod
    def _build_report_arguments(report_format: str, folder: Path) -> list[str]:
        suffixes = {"junit": ".xml", "html": "", "vcr": ".yaml"}
        suffix = suffixes.get(report_format, f".{report_format}")
        path = folder / f"{report_format}{suffix}"
        return [f"--report-{report_format}-path", str(path)]

    def build_config(self, cache_folder: Path) -> str:
        """Build the configuration file, as TOML."""
        # With a database of examples, the cases would not only depend on the seed.
        generation: JsonObject = {"database": "none"}
        coverage: JsonObject = {}
        if self.documented_methods_only:
            coverage["unexpected-methods"] = []
        tables: JsonObject = {
            "cache": {"enabled": True, "directory": str(cache_folder)},
            "generation": generation,
            "phases": {"coverage": coverage},
            # The credentials of a mock are public: commands stay ready to paste.
            "output": {"sanitization": {"enabled": not self.is_mock}},
            "dictionaries": {
                f"d{i}": {"values": values} for i, values in enumerate(self.values.values())
            },
            "operations": list(self._build_operation_config()),
        }
        if self.is_mock:
            tables["request-timeout"] = MOCK_TIMEOUT_S
        if credentials := dict(self._build_auth_config()):
            tables["auth"] = {"openapi": credentials}
        return "".join(f"{key} = {_serialize_toml(value)}\n" for key, value in tables.items())

    def _build_auth_config(self) -> Iterator[tuple[str, JsonObject]]:
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        for i, (name, secret) in enumerate(self.secrets.items()):
            # Only the name of a variable is written to the file, not the secret.
            variable = f"${{{_secret_variable(i)}}}"
            match schemes.get(name, {}):
                case {"type": "apiKey"}:
                    yield name, {"api_key": variable}
                case {"type": "http", "scheme": str(scheme)} if scheme.lower() == "basic":
                    user, _, password = secret.partition(":")
                    yield name, {"username": user, "password": password}
                # Tokens of OAuth 2 and OpenID Connect are bearer tokens (RFC 6750).
                case {"type": _}:
                    yield name, {"bearer": variable}

    def _build_operation_config(self) -> Iterator[JsonObject]:
        for operation in OperationIndex(self.document).operations.values():
            config: JsonObject = {}
            if _has_stream(operation) and not self.is_mock:
                config["request-timeout"] = STREAM_TIMEOUT_S
            # Known records are not deleted: later requests need them.
            parameters = self._bind_parameters(operation)
            if parameters and operation.method != "delete":
                config["parameters"] = parameters
            if config:
                yield {"include-name": operation.label, **config}

    def _bind_parameters(self, operation: OperationSpec) -> JsonObject:
        """Map parameters with known values to the dictionaries of these values."""
        numbers = {key: i for i, key in enumerate(self.values)}
        return {
            # Not always: unknown values must be tested too.
            parameter.key: {"dictionary": f"d{numbers[key]}", "probability": 0.7}
            for parameter in operation.parameters
            if (key := self.find_values_key(operation, parameter.key))
        }

    def find_values_key(self, operation: OperationSpec, parameter_key: str) -> str | None:
        """Find the key of a parameter in ``values``; the most specific one first."""
        name = parameter_key.partition(".")[2]
        names = (f"{operation.label} {parameter_key}", parameter_key, name)
        return next((name for name in names if name in self.values), None)


def prepare_document(campaign: Campaign) -> JsonObject:
    """Return a copy of the document, adapted for schemathesis.

    Schemas of streams are removed: schemathesis interprets them in another way, and our
    own check covers them. Known values become examples, from which the coverage phase
    starts.
    """
    document: JsonObject = copy.deepcopy(campaign.document)
    operations = OperationIndex(document).operations.values()
    for owner in [document.get("components", {}), *(o.node for o in operations)]:
        for response in owner.get("responses", {}).values():
            if EVENT_STREAM in response.get("content", {}):
                response["content"][EVENT_STREAM] = {}
    for operation in operations:
        for node in operation.iter_parameter_nodes():
            key = campaign.find_values_key(operation, f"{node['in']}.{node['name']}")
            if key and not {"example", "examples"} & node.keys():
                node["example"] = campaign.values[key][0]
    return document


def _format_rate(per_second: float) -> str:
    """Format a rate with a whole number, per second or per hour.

    >>> _format_rate(2), _format_rate(0.5)
    ('2/s', '1800/h')
    """
    if per_second == int(per_second):
        return f"{int(per_second)}/s"
    return f"{max(1, int(per_second * 3_600))}/h"


def _has_stream(operation: OperationSpec) -> bool:
    responses = map(operation.resolve, operation.node.get("responses", {}).values())
    return any(EVENT_STREAM in response.get("content", {}) for response in responses)


def _secret_variable(number: int) -> str:
    return f"SOUNDSTAGE_CAMPAIGN_SECRET_{number}"


def _serialize_toml(value: Json) -> str:
    """Serialize a value as one line of TOML, whose strings are JSON strings."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k)} = {_serialize_toml(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_serialize_toml, value))}]"
    # JSON escapes are surrogate pairs beyond U+FFFF, which TOML does not allow.
    return json.dumps(value, ensure_ascii=False)
