"""The documents that are judged by: four contracts, and twins that say everything."""

from pathlib import Path

from soundstage.apis.registry import load_services
from soundstage.openapi.document import load_document

HERE = Path(__file__).parent


def documents():
    """The effective documents by name, as they are, but for whom they let in."""
    found = {name: s.contract.document for name, s in load_services().items()}
    old = _plain(load_document(HERE / "keywords.yaml").document)
    found |= {"keywords-3.0": old, "keywords-3.1": _twin(old)}
    return {name: _open(document) for name, document in found.items()}


def _open(document):
    """Without the vendor's hosts, and without security, which has tests of its own."""
    paths = {
        path: {key: _without_security(node) for key, node in item.items()}
        for path, item in document["paths"].items()
    }
    open_to_all = {k: v for k, v in document.items() if k != "security"}
    return {**open_to_all, "paths": paths, "servers": [{"url": "/"}]}


def _without_security(node):
    if not isinstance(node, dict):
        return node
    return {key: value for key, value in node.items() if key != "security"}


def _plain(document):
    """A Response Object has no ``required``: bodies are both in keywords.yaml."""
    for item in document["paths"].values():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                kept = {k: v for k, v in answer.items() if k != "required"}
                operation["responses"][status] = kept
    return document


def _twin(old):
    new = _renewed(old)
    more = load_document(HERE / "keywords31.yaml").document
    new["openapi"] = more["openapi"]
    new["paths"] |= more["paths"]
    new["components"]["schemas"] |= more["components"]["schemas"]
    return new


def _renewed(node):
    """What 3.0 says, in the words of 3.1."""
    if isinstance(node, list):
        return [_renewed(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    node = {key: _renewed(value) for key, value in node.items()}
    if isinstance(node.get("nullable"), bool) and node.pop("nullable"):
        node["type"] = [node["type"], "null"]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if node.get(exclusive) is True:
            node[exclusive] = node.pop(bound)
    return node
