"""Responses that link to the schema of their body, and the schemas themselves."""

from functools import cache

from soundstage import vendored_files
from soundstage.apis.api import NotFound, RequestContext, Response
from soundstage.openapi.contract import load_contract
from soundstage.types import Json, JsonObject


def build_described_response(
    context: RequestContext, schema_name: str, body: JsonObject, status: int = 200
) -> Response:
    """Return a response with the URL of its schema, in the body and a Link header."""
    path = f"/schemas/{schema_name}.json"
    link = (("Link", f'<{path}>; rel="describedBy"'),)
    return Response({"$schema": context.base_url + path, **body}, status, headers=link)


def retrieve_schema(context: RequestContext) -> Response:
    """Return the schema of a body, with absolute URLs as references."""
    name = context.parameters["name"]
    schema = _load_schemas().get(name)
    if schema is None:
        raise NotFound("schemas", name)
    return Response(_resolve_references(schema, context.base_url))


@cache
def _load_schemas() -> dict[str, JsonObject]:
    contract = load_contract("runwisp", vendored_files.specs() / "runwisp")
    schemas: dict[str, JsonObject] = contract.document["components"]["schemas"]
    return schemas


def _resolve_references(node: Json, base_url: str) -> Json:
    if isinstance(node, list):
        return [_resolve_references(item, base_url) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"{base_url}/schemas/{value.rpartition('/')[2]}.json"
        if key == "$ref"
        else _resolve_references(value, base_url)
        for key, value in node.items()
    }
