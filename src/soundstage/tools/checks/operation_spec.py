"""An operation as its document describes it: enough to read requests and answers.

It reads raw documents, so that it serves those too that our compiler does not take.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from soundstage.openapi.document import resolved
from soundstage.types import Document, Json

METHODS = frozenset("get put post delete options head patch trace".split())


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, or a property of the body that stands for one."""

    name: str
    location: str
    schema: Document
    is_comma_separated: bool

    @property
    def key(self) -> str:
        """Where it is, and its name: ``path.runID``."""
        return f"{self.location}.{self.name}"

    @property
    def property_name(self) -> str:
        """The name as properties spell it: ``filter[status]`` is about ``status``."""
        return self.name.rpartition("[")[2].rstrip("]")


@dataclass(frozen=True)
class OperationSpec:
    """One operation of a document."""

    document: Document
    path: str
    method: str
    node: Document

    @property
    def label(self) -> str:
        """``GET /runs/{runID}``, as schemathesis calls it."""
        return f"{self.method.upper()} {self.path}"

    @property
    def id(self) -> str:
        """The operationId, or else the label."""
        return str(self.node.get("operationId", self.label))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the path, of the operation, and the properties of a JSON body."""
        nodes = {
            (node["in"], node["name"]): node for node in self.iter_parameter_nodes()
        }
        return (
            *map(self._parse_parameter, nodes.values()),
            *self._iter_body_parameters(),
        )

    def iter_parameter_nodes(self) -> Iterator[Document]:
        """The nodes of the path's parameters, then of the operation's."""
        item = self.document["paths"][self.path]
        for raw in (*item.get("parameters", ()), *self.node.get("parameters", ())):
            node = self.resolve(raw)
            if isinstance(node.get("name"), str) and "in" in node:
                yield node

    def _parse_parameter(self, node: Document) -> Parameter:
        style = node.get("style", "form")
        joined = not node.get("explode", style == "form")
        schema = self.resolve(node.get("schema", {}))
        return Parameter(node["name"], node["in"], schema, joined)

    @cached_property
    def deep_object_parameters(self) -> tuple[Parameter, ...]:
        """``filter[status]`` and the like; what is several is joined by commas."""
        return tuple(
            Parameter(
                f"{whole['name']}[{name}]",
                "query",
                self.resolve(node),
                is_comma_separated=True,
            )
            for whole in self.iter_parameter_nodes()
            if whole.get("style") == "deepObject"
            for name, node in self._iter_properties(whole.get("schema", {}))
        )

    def _iter_body_parameters(self) -> Iterator[Parameter]:
        contents = self.resolve(self.node.get("requestBody", {})).get("content", {})
        for media_type, content in contents.items():
            if "json" in media_type:
                for name, node in self._iter_properties(content.get("schema", {})):
                    yield Parameter(
                        name, "body", self.resolve(node), is_comma_separated=False
                    )

    def _iter_properties(self, schema: Json) -> Iterator[tuple[str, Json]]:
        yield from _as_mapping(self.resolve(schema).get("properties")).items()

    def is_unambiguous(self, query: Document) -> bool:
        """Whether nothing is sent as something else is.

        With ``explode: false`` a list of an empty text and an empty list are both
        ``name=``; an object that has nothing in it is not sent at all.
        """
        if {} in query.values():
            return False
        lists = (
            p.name
            for p in self.parameters
            if p.location == "query" and p.is_comma_separated
        )
        return all(query.get(name) not in ("", [""]) for name in lists)

    @cached_property
    def path_pattern(self) -> re.Pattern[str]:
        """What the path of a request for it looks like."""
        parts = re.split(r"\{([^}]+)\}", self.path)
        texts = (
            f"(?P<p{i}>[^/]*)" if i % 2 else re.escape(part)
            for i, part in enumerate(parts)
        )
        return re.compile("".join(texts))

    def parse_path(self, path: str) -> dict[str, str] | None:
        """The values in the path of a request; ``None`` if it is not for this one."""
        match = self.path_pattern.fullmatch(path)
        if match is None:
            return None
        names = re.findall(r"\{([^}]+)\}", self.path)
        return dict(zip(names, map(unquote, match.groups()), strict=True))

    def resolve(self, node: Json) -> Document:
        """The node that a reference leads to; empty if it leads nowhere."""
        for _ in range(20):
            if not isinstance(node, dict) or "$ref" not in node:
                break
            try:
                node = resolved(self.document, node["$ref"])
            except KeyError:
                return {}
        return node if isinstance(node, dict) else {}


class OperationIndex:
    """The operations of a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.operations = {one.label: one for one in _iter_operations(document)}

    def find(self, name: str) -> OperationSpec | None:
        """The operation of this operationId or label."""
        by_id = (one for one in self.operations.values() if one.id == name)
        return self.operations.get(name) or next(by_id, None)

    def match(self, method: str, path: str) -> OperationSpec | None:
        """The operation that a request is for; one without variables goes first."""
        fitting = [
            one
            for one in self.operations.values()
            if one.method == method.lower() and one.parse_path(path) is not None
        ]
        return min(fitting, key=lambda one: one.path.count("{"), default=None)


def _iter_operations(document: Document) -> Iterator[OperationSpec]:
    for path, item in _as_mapping(document.get("paths")).items():
        for method, node in _as_mapping(item).items():
            if method in METHODS and isinstance(node, dict):
                yield OperationSpec(document, path, method, node)


def _as_mapping(node: Json) -> Mapping[str, Json]:
    return node if isinstance(node, dict) else {}
