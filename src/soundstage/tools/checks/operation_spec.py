"""Operations of a raw OpenAPI document, for tools that send requests to any server.

Unlike ``openapi.Operation`` it compiles nothing: documents that our compiler rejects
can still be fuzzed and verified.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from soundstage.openapi.document import resolve_reference
from soundstage.openapi.errors import DocumentError
from soundstage.types import Json, JsonObject

METHODS = frozenset("get put post delete options head patch trace".split())


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, or a property of a JSON body (``location`` is then ``body``)."""

    name: str
    location: str
    schema: JsonObject
    is_comma_separated: bool

    @property
    def key(self) -> str:
        """The location and the name: ``path.runID``."""
        return f"{self.location}.{self.name}"

    @property
    def property_name(self) -> str:
        """The name of the filtered property: ``status`` of ``filter[status]``."""
        return self.name.rpartition("[")[2].rstrip("]")

    @property
    def normalized_name(self) -> str:
        """``property_name`` without differences of spelling."""
        return normalize_name(self.property_name)


def normalize_name(name: str) -> str:
    """Remove differences of spelling from a name.

    >>> normalize_name("itemsPerPage") == normalize_name("items_per-page")
    True
    """
    return name.replace("_", "").replace("-", "").lower()


@dataclass(frozen=True)
class OperationSpec:
    """One operation of a document; ``method`` is in lower case."""

    document: JsonObject
    path: str
    method: str
    node: JsonObject

    @property
    def label(self) -> str:
        """``GET /runs/{runID}``, the name that schemathesis uses."""
        return f"{self.method.upper()} {self.path}"

    @property
    def id(self) -> str:
        """The operationId, or the label if there is none."""
        return str(self.node.get("operationId", self.label))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters of the path and the operation, and properties of a JSON body."""
        nodes = {(node["in"], node["name"]): node for node in self.iter_parameter_nodes()}
        return (*map(self._parse_parameter, nodes.values()), *self._iter_body_parameters())

    def iter_parameter_nodes(self) -> Iterator[JsonObject]:
        """Iterate over the parameter nodes of the path, then of the operation."""
        item = self.document["paths"][self.path]
        for raw in (*item.get("parameters", ()), *self.node.get("parameters", ())):
            node = self.resolve(raw)
            if isinstance(node.get("name"), str) and "in" in node:
                yield node

    def _parse_parameter(self, node: JsonObject) -> Parameter:
        style = node.get("style", "form")
        # By default, only the style "form" explodes (Parameter Object).
        is_comma_separated = not node.get("explode", style == "form")
        schema = self.resolve(node.get("schema", {}))
        return Parameter(node["name"], node["in"], schema, is_comma_separated)

    @cached_property
    def deep_object_parameters(self) -> tuple[Parameter, ...]:
        """Properties of deepObject parameters (``filter[status]``), comma-separated."""
        return tuple(
            Parameter(
                f"{parameter['name']}[{name}]", "query", self.resolve(node), is_comma_separated=True
            )
            for parameter in self.iter_parameter_nodes()
            if parameter.get("style") == "deepObject"
            for name, node in self._iter_properties(parameter.get("schema", {}))
        )

    def _iter_body_parameters(self) -> Iterator[Parameter]:
        contents = self.resolve(self.node.get("requestBody", {})).get("content", {})
        for media_type, content in contents.items():
            if "json" in media_type:
                for name, node in self._iter_properties(content.get("schema", {})):
                    yield Parameter(name, "body", self.resolve(node), is_comma_separated=False)

    def _iter_properties(self, schema: Json) -> Iterator[tuple[str, Json]]:
        yield from _as_mapping(self.resolve(schema).get("properties")).items()

    def is_unambiguous(self, query: JsonObject) -> bool:
        """Whether no two different values of the query are sent as the same text.

        With ``explode: false``, an empty list and a list of one empty text are both
        ``name=``; an empty object is not sent at all.
        """
        if {} in query.values():
            return False
        lists = (p.name for p in self.parameters if p.location == "query" and p.is_comma_separated)
        return all(query.get(name) not in ("", [""]) for name in lists)

    @cached_property
    def path_pattern(self) -> re.Pattern[str]:
        """The regular expression that matches request paths."""
        parts = re.split(r"\{([^}]+)\}", self.path)
        texts = (f"(?P<p{i}>[^/]*)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
        return re.compile("".join(texts))

    def parse_path(self, path: str) -> dict[str, str] | None:
        """Parse the parameters of a request path; ``None`` if it does not match."""
        match = self.path_pattern.fullmatch(path)
        if match is None:
            return None
        names = re.findall(r"\{([^}]+)\}", self.path)
        # Decoded after the match: "%2F" belongs to a value.
        return dict(zip(names, map(unquote, match.groups()), strict=True))

    def resolve(self, node: Json) -> JsonObject:
        """Follow the references of a node; return ``{}`` if a target is missing."""
        # Documents of other servers may be broken in places that do not matter here.
        try:
            return resolve_reference(self.document, node)
        except DocumentError:
            return {}


class OperationIndex:
    """The operations of a document, by label (``GET /runs``).

    >>> paths = {"/runs": {"get": {}}, "/runs/{id}": {"get": {"operationId": "getRun"}}}
    >>> operations = OperationIndex({"paths": paths})
    >>> operations.match("GET", "/runs/1").id
    'getRun'
    """

    def __init__(self, document: JsonObject) -> None:
        self.document = document
        self.operations = {o.label: o for o in _iter_operations(document)}

    def find(self, name: str) -> OperationSpec | None:
        """Find an operation by its operationId or label."""
        by_id = (o for o in self.operations.values() if o.id == name)
        return self.operations.get(name) or next(by_id, None)

    def match(self, method: str, path: str) -> OperationSpec | None:
        """Find the operation of a request; fewer path parameters take precedence."""
        matching = [
            operation
            for operation in self.operations.values()
            if operation.method == method.lower() and operation.parse_path(path) is not None
        ]
        # Paths without parameters take precedence (Paths Object).
        return min(matching, key=lambda o: o.path.count("{"), default=None)


def _iter_operations(document: JsonObject) -> Iterator[OperationSpec]:
    for path, item in _as_mapping(document.get("paths")).items():
        for method, node in _as_mapping(item).items():
            if method in METHODS and isinstance(node, dict):
                yield OperationSpec(document, path, method, node)


def _as_mapping(node: Json) -> Mapping[str, Json]:
    return node if isinstance(node, dict) else {}
