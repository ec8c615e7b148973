"""Who may do what: roles of keys, and the dataset or organization that is meant."""

import re
from collections.abc import Awaitable

from soundstage.apis.api import Forbidden, Handler, NotFound, RequestContext, Response
from soundstage.apis.trieve.errors import RejectedRequest, format_deserialization_error
from soundstage.apis.trieve.nesting import is_too_deep
from soundstage.types import Document

ROLES = ("readonly", "admin", "owner")
"""What a credential's ``role`` may be, the lowest first; an owner if it says none."""

_UUID_PATTERN = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def require_role(minimum: str, handler: Handler) -> Handler:
    """The handler, for keys of this role and higher ones."""

    def handle(context: RequestContext) -> Response | Awaitable[Response]:
        if ROLES.index(context.credential.get("role", "owner")) < ROLES.index(minimum):
            raise Forbidden
        if is_too_deep(context.body):
            raise RejectedRequest(
                format_deserialization_error("Syntax", "recursion limit exceeded")
            )
        return handler(context)

    return handle


def resolve_dataset(context: RequestContext) -> Document:
    """The dataset that TR-Dataset names, by its id or its tracking id.

    A tracking id needs TR-Organization. Raises ``NotFound``, ``Forbidden`` and
    ``BadRequest``.
    """
    named = context.parameters["TR-Dataset"]
    if _UUID_PATTERN.fullmatch(named):
        return require_own_dataset(context, context.get("datasets", named.lower()))
    organization = context.parameters.get("TR-Organization")
    if not organization:
        raise RejectedRequest(
            "Using Dataset Tracking IDs requires providing the TR-Organization header"
        )
    if not _UUID_PATTERN.fullmatch(organization):
        raise RejectedRequest("Could not convert Organization to UUID")
    return require_own_dataset(
        context, find_dataset_by_tracking_id(context, organization.lower(), named)
    )


def require_own_dataset(context: RequestContext, dataset: Document) -> Document:
    """The dataset, if it is of the caller's organization. Raises ``Forbidden``."""
    if dataset["organization_id"] != context.credential["organization_id"]:
        raise Forbidden
    return dataset


def find_dataset_by_tracking_id(
    context: RequestContext, organization_id: str, tracking_id: str
) -> Document:
    """The dataset of this tracking id. O(datasets of the organization).

    Raises ``NotFound``.
    """
    for dataset in context.collection("datasets").children(
        organization_id, context.now
    ):
        if dataset.get("tracking_id") == tracking_id:
            return dataset
    raise NotFound("datasets", tracking_id)


def require_own_organization(context: RequestContext) -> str:
    """The organization of TR-Organization, if it is the caller's."""
    organization_id = context.parameters["TR-Organization"].lower()
    if organization_id != context.credential["organization_id"]:
        raise Forbidden
    return str(organization_id)
