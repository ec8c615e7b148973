"""An operation as its document describes it: enough to read requests and answers.

It reads raw documents, so that it serves those too that our compiler does not take.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from soundstage.contract.document import resolved
from soundstage.types import Document, Json

METHODS = frozenset("get put post delete options head patch trace".split())


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, or a property of the body that stands for one."""

    name: str
    place: str
    schema: Document
    joined: bool

    @property
    def key(self) -> str:
        """Where it is, and its name: ``path.runID``."""
        return f"{self.place}.{self.name}"

    @property
    def plain(self) -> str:
        """The name as properties spell it: ``filter[status]`` is about ``status``."""
        return self.name.rpartition("[")[2].rstrip("]")


@dataclass(frozen=True)
class Described:
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
        nodes = {(node["in"], node["name"]): node for node in self.parameter_nodes()}
        return (*map(self._parameter, nodes.values()), *self._in_body())

    def parameter_nodes(self) -> Iterator[Document]:
        """The nodes of the path's parameters, then of the operation's."""
        item = self.document["paths"][self.path]
        for raw in (*item.get("parameters", ()), *self.node.get("parameters", ())):
            node = self.followed(raw)
            if isinstance(node.get("name"), str) and "in" in node:
                yield node

    def _parameter(self, node: Document) -> Parameter:
        style = node.get("style", "form")
        joined = not node.get("explode", style == "form")
        schema = self.followed(node.get("schema", {}))
        return Parameter(node["name"], node["in"], schema, joined)

    @cached_property
    def deep(self) -> tuple[Parameter, ...]:
        """``filter[status]`` and the like; what is several is joined by commas."""
        return tuple(
            Parameter(
                f"{whole['name']}[{name}]", "query", self.followed(node), joined=True
            )
            for whole in self.parameter_nodes()
            if whole.get("style") == "deepObject"
            for name, node in self._properties(whole.get("schema", {}))
        )

    def _in_body(self) -> Iterator[Parameter]:
        contents = self.followed(self.node.get("requestBody", {})).get("content", {})
        for media_type, content in contents.items():
            if "json" in media_type:
                for name, node in self._properties(content.get("schema", {})):
                    yield Parameter(name, "body", self.followed(node), joined=False)

    def _properties(self, schema: Json) -> Iterator[tuple[str, Json]]:
        yield from _mapping(self.followed(schema).get("properties")).items()

    def is_unambiguous(self, query: Document) -> bool:
        """Whether nothing is sent as something else is.

        With ``explode: false`` a list of an empty text and an empty list are both
        ``name=``; an object that has nothing in it is not sent at all.
        """
        if {} in query.values():
            return False
        lists = (p.name for p in self.parameters if p.place == "query" and p.joined)
        return all(query.get(name) not in ("", [""]) for name in lists)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the path of a request for it looks like."""
        parts = re.split(r"\{([^}]+)\}", self.path)
        texts = (
            f"(?P<p{i}>[^/]*)" if i % 2 else re.escape(part)
            for i, part in enumerate(parts)
        )
        return re.compile("".join(texts))

    def in_path(self, path: str) -> dict[str, str] | None:
        """The values in the path of a request; ``None`` if it is not for this one."""
        match = self.pattern.fullmatch(path)
        if match is None:
            return None
        names = re.findall(r"\{([^}]+)\}", self.path)
        return dict(zip(names, map(unquote, match.groups()), strict=True))

    def followed(self, node: Json) -> Document:
        """The node that a reference leads to; empty if it leads nowhere."""
        for _ in range(20):
            if not isinstance(node, dict) or "$ref" not in node:
                break
            try:
                node = resolved(self.document, node["$ref"])
            except KeyError:
                return {}
        return node if isinstance(node, dict) else {}


class Catalogue:
    """The operations of a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.operations = {one.label: one for one in _operations(document)}

    def named(self, name: str) -> Described | None:
        """The operation of this operationId or label."""
        by_id = (one for one in self.operations.values() if one.id == name)
        return self.operations.get(name) or next(by_id, None)

    def of(self, method: str, path: str) -> Described | None:
        """The operation that a request is for; one without variables goes first."""
        fitting = [
            one
            for one in self.operations.values()
            if one.method == method.lower() and one.in_path(path) is not None
        ]
        return min(fitting, key=lambda one: one.path.count("{"), default=None)


def _operations(document: Document) -> Iterator[Described]:
    for path, item in _mapping(document.get("paths")).items():
        for method, node in _mapping(item).items():
            if method in METHODS and isinstance(node, dict):
                yield Described(document, path, method, node)


def _mapping(node: Json) -> Mapping[str, Json]:
    return node if isinstance(node, dict) else {}
