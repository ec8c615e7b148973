"""Bodies that name their schema, and the schemas themselves."""

from functools import cache

from soundstage import resources
from soundstage.apis.api import Answer, Call, NotFound
from soundstage.contract.contract import load_contract
from soundstage.types import Document, Json


def described(call: Call, schema: str, body: Document, status: int = 200) -> Answer:
    """A body that names its schema, in itself and in a Link header."""
    path = f"/schemas/{schema}.json"
    link = (("Link", f'<{path}>; rel="describedBy"'),)
    return Answer({"$schema": call.base_url + path, **body}, status, headers=link)


def retrieve_schema(call: Call) -> Answer:
    """The schema of a body, its references as absolute addresses."""
    name = call.parameters["name"]
    schema = _schemas().get(name)
    if schema is None:
        raise NotFound("schemas", name)
    return Answer(_addressed(schema, call.base_url))


@cache
def _schemas() -> dict[str, Document]:
    contract = load_contract("runwisp", resources.specs() / "runwisp")
    schemas: dict[str, Document] = contract.document["components"]["schemas"]
    return schemas


def _addressed(node: Json, base_url: str) -> Json:
    if isinstance(node, list):
        return [_addressed(item, base_url) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"{base_url}/schemas/{value.rpartition('/')[2]}.json"
        if key == "$ref"
        else _addressed(value, base_url)
        for key, value in node.items()
    }
