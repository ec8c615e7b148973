"""Checks that precede a handler: role, depth of the body, dataset and organization."""

import re
from collections.abc import Awaitable

from soundstage.apis.api import Forbidden, Handler, NotFound, RequestContext, Response
from soundstage.apis.trieve.errors import RejectedRequest, format_deserialization_error
from soundstage.apis.trieve.store import Dataset
from soundstage.types import Json, JsonObject

ROLES = ("readonly", "admin", "owner")
"""Roles of API keys, the lowest first. A credential without a role is an owner's."""

MAX_DEPTH = 127
"""Levels of nesting that the real server's JSON parser (serde_json) accepts."""

_UUID_PATTERN = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def require_role(minimum: str, handler: Handler) -> Handler:
    """Restrict a handler to API keys of a role and the roles above it."""
    allowed = ROLES[ROLES.index(minimum) :]

    def handle(context: RequestContext) -> Response | Awaitable[Response]:
        if context.credential.get("role", "owner") not in allowed:
            raise Forbidden
        if is_too_deep(context.body):
            message = format_deserialization_error("Syntax", "recursion limit exceeded")
            raise RejectedRequest(message)
        return handler(context)

    return handle


def is_too_deep(value: Json) -> bool:
    """Whether the real server's JSON parser rejects a value's nesting. O(value).

    >>> is_too_deep({"a": [1, 2]})
    False
    """
    # Level by level, as recursion would meet Python's own limit first.
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for node in level for child in _list_children(node)]
        if not level:
            return False
    return True


def _list_children(node: Json) -> list[Json]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def resolve_dataset(context: RequestContext) -> Dataset:
    """Return the dataset of the TR-Dataset header, which holds an id or a tracking id.

    A tracking id requires the TR-Organization header as well. Raises ``NotFound``,
    ``Forbidden`` and ``RejectedRequest``.
    """
    name = context.parameters["TR-Dataset"]
    if _UUID_PATTERN.fullmatch(name):
        dataset = context.get("datasets", name.lower())
        return require_own_dataset(context, dataset)
    organization = context.parameters.get("TR-Organization")
    if not organization:
        raise RejectedRequest(
            "Using Dataset Tracking IDs requires providing the TR-Organization header"
        )
    if not _UUID_PATTERN.fullmatch(organization):
        raise RejectedRequest("Could not convert Organization to UUID")
    dataset = find_dataset_by_tracking_id(context, organization.lower(), name)
    return require_own_dataset(context, dataset)


def require_own_dataset(context: RequestContext, dataset: JsonObject) -> Dataset:
    """Return the dataset. Raises ``Forbidden`` if another organization owns it."""
    if dataset["organization_id"] != context.credential["organization_id"]:
        raise Forbidden
    return Dataset(context, dataset)


def find_dataset_by_tracking_id(
    context: RequestContext, organization_id: str, tracking_id: str
) -> JsonObject:
    """Return the dataset with a tracking id. O(datasets of the organization).

    Raises ``NotFound``.
    """
    datasets = context.collection("datasets")
    for dataset in datasets.children(organization_id, context.now):
        if dataset.get("tracking_id") == tracking_id:
            return dataset
    raise NotFound("datasets", tracking_id)


def require_own_organization(context: RequestContext) -> str:
    """Return the id in the TR-Organization header.

    Raises ``Forbidden`` if it is not the organization of the API key.
    """
    organization_id = context.parameters["TR-Organization"].lower()
    if organization_id != context.credential["organization_id"]:
        raise Forbidden
    return str(organization_id)
