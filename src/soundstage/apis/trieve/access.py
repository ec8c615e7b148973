"""Who may do what: roles of keys, and the dataset or organization that is meant."""

import re
from collections.abc import Awaitable

from soundstage.apis.api import Answer, Call, Forbidden, Handler, NotFound
from soundstage.apis.trieve.nesting import too_deep
from soundstage.apis.trieve.refusal import BadRequest, deserialization
from soundstage.types import Document

ROLES = ("readonly", "admin", "owner")
"""What a credential's ``role`` may be, the lowest first; an owner if it says none."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def for_role(least: str, handler: Handler) -> Handler:
    """The handler, for keys of this role and higher ones."""

    def guarded(call: Call) -> Answer | Awaitable[Answer]:
        if ROLES.index(call.credential.get("role", "owner")) < ROLES.index(least):
            raise Forbidden
        if too_deep(call.body):
            raise BadRequest(deserialization("Syntax", "recursion limit exceeded"))
        return handler(call)

    return guarded


def dataset_of(call: Call) -> Document:
    """The dataset that TR-Dataset names, by its id or its tracking id.

    A tracking id needs TR-Organization. Raises ``NotFound``, ``Forbidden`` and
    ``BadRequest``.
    """
    named = call.parameters["TR-Dataset"]
    if _UUID.fullmatch(named):
        return owned(call, call.get("datasets", named.lower()))
    organization = call.parameters.get("TR-Organization")
    if not organization:
        raise BadRequest(
            "Using Dataset Tracking IDs requires providing the TR-Organization header"
        )
    if not _UUID.fullmatch(organization):
        raise BadRequest("Could not convert Organization to UUID")
    return owned(call, dataset_tracked(call, organization.lower(), named))


def owned(call: Call, dataset: Document) -> Document:
    """The dataset, if it is of the caller's organization. Raises ``Forbidden``."""
    if dataset["organization_id"] != call.credential["organization_id"]:
        raise Forbidden
    return dataset


def dataset_tracked(call: Call, organization_id: str, tracking_id: str) -> Document:
    """The dataset of this tracking id. O(datasets of the organization).

    Raises ``NotFound``.
    """
    for dataset in call.collection("datasets").children(organization_id, call.now):
        if dataset.get("tracking_id") == tracking_id:
            return dataset
    raise NotFound("datasets", tracking_id)


def own_organization(call: Call) -> str:
    """The organization of TR-Organization, if it is the caller's."""
    organization_id = call.parameters["TR-Organization"].lower()
    if organization_id != call.credential["organization_id"]:
        raise Forbidden
    return str(organization_id)
