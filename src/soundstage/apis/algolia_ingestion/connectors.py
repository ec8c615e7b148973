"""What tasks are made of: authentications, sources, transformations, destinations."""

from typing import Final

from soundstage.apis.algolia_ingestion.application import iter_values
from soundstage.apis.algolia_ingestion.lists import field_values
from soundstage.apis.algolia_ingestion.model import MODEL
from soundstage.apis.algolia_ingestion.resources import Resource
from soundstage.apis.api import RequestContext
from soundstage.types import Json, JsonObject

SECRET_FIELDS: Final = frozenset(
    {"privateKey", "password", "key", "client_secret", "apiKey"}
)
"""What an answer has null for."""

OMITTED_FIELDS: Final = frozenset({"code"})
"""What no answer has."""


def _build_authentication(body: JsonObject) -> JsonObject:
    return {**body, "input": mask_secrets(body["type"], body["input"])}


def mask_secrets(authentication_type: str, input_fields: JsonObject) -> JsonObject:
    """The input of an authentication without its secrets, which nobody needs here."""
    if authentication_type == "secrets":
        return dict.fromkeys(input_fields)
    return {
        name: None if name in SECRET_FIELDS else value
        for name, value in input_fields.items()
        if name not in OMITTED_FIELDS
    }


def _build_transformation(body: JsonObject) -> JsonObject:
    """Said in the old way (``code``) and in the new one, however it was given."""
    given = body.get("input")
    if given is None:
        code, kind = body.get("code", ""), body.get("type", "code")
        given = {"code": code} if kind == "code" else {"steps": []}
        return {**body, "code": code, "type": kind, "input": given}
    kind = "code" if "code" in given else "noCode"
    return {"type": kind, **body, "code": body.get("code", given.get("code", ""))}


def _platform_values(_: RequestContext, authentication: JsonObject) -> tuple[Json, ...]:
    """Its platform, or the two words that a filter has for none."""
    platform = authentication.get("platform")
    return (None, "none") if platform is None else (platform,)


AUTHENTICATIONS: Final = Resource(
    MODEL.record_types["authentication"],
    filters={"type": field_values("type"), "platform": _platform_values},
    build=_build_authentication,
)

SOURCES: Final = Resource(
    MODEL.record_types["source"],
    filters={
        "type": field_values("type"),
        "authenticationID": lambda _, s: (s.get("authenticationID", "none"),),
    },
)

TRANSFORMATIONS: Final = Resource(
    MODEL.record_types["transformation"],
    filters={"type": field_values("type")},
    build=_build_transformation,
    includes_name=False,
)

DESTINATIONS: Final = Resource(
    MODEL.record_types["destination"],
    filters={
        "type": field_values("type"),
        "authenticationID": field_values("authenticationID"),
        "transformationID": lambda _, d: iter_values(d.get("transformationIDs")),
    },
)


def update_connector(context: RequestContext, old: JsonObject) -> JsonObject:
    """The record with what the request gives; ``input`` is changed field by field."""
    new: JsonObject = {**old, **context.body}
    if "input" in context.body:
        new["input"] = {**old.get("input", {}), **context.body["input"]}
    return new


def update_authentication(context: RequestContext, old: JsonObject) -> JsonObject:
    """As ``revised``; the secrets that it gives are not kept."""
    new = update_connector(context, old)
    return {**new, "input": mask_secrets(new["type"], new["input"])}


def replace_transformation(context: RequestContext, old: JsonObject) -> JsonObject:
    """The transformation as the request describes it."""
    kept = {name: old[name] for name in ("transformationID", "owner", "createdAt")}
    return {**kept, **_build_transformation(context.body)}
