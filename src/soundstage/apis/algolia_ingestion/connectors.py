"""The parts of tasks: authentications, sources, transformations and destinations."""

from typing import Final

from soundstage.apis.algolia_ingestion.application import iter_values
from soundstage.apis.algolia_ingestion.lists import field_values
from soundstage.apis.algolia_ingestion.model import MODEL
from soundstage.apis.algolia_ingestion.resources import Resource
from soundstage.apis.api import RequestContext
from soundstage.types import Json, JsonObject

SECRET_FIELDS: Final = frozenset({"privateKey", "password", "key", "client_secret", "apiKey"})
"""Fields of an authentication's input that are null in every response."""

OMITTED_FIELDS: Final = frozenset({"code"})
"""Fields of an authentication's input that no response contains."""


def _mask_secrets(authentication: JsonObject) -> JsonObject:
    """Return the authentication without its secrets, which nothing here reads."""
    fields = authentication["input"]
    if authentication["type"] == "secrets":
        masked = dict.fromkeys(fields)
    else:
        masked = {
            name: None if name in SECRET_FIELDS else value
            for name, value in fields.items()
            if name not in OMITTED_FIELDS
        }
    return {**authentication, "input": masked}


def _build_transformation(body: JsonObject) -> JsonObject:
    """Return the body with both its deprecated ``code`` and its ``input``."""
    fields = body.get("input")
    if fields is None:
        code, kind = body.get("code", ""), body.get("type", "code")
        fields = {"code": code} if kind == "code" else {"steps": []}
        return {**body, "code": code, "type": kind, "input": fields}
    kind = "code" if "code" in fields else "noCode"
    # A body with two different codes keeps both.
    return {"type": kind, **body, "code": body.get("code", fields.get("code", ""))}


def _platform_values(_: RequestContext, authentication: JsonObject) -> tuple[Json, ...]:
    """Return the platform, or the two values by which a filter selects none."""
    platform = authentication.get("platform")
    return (None, "none") if platform is None else (platform,)


AUTHENTICATIONS: Final = Resource(
    MODEL.record_types["authentication"],
    filters={"type": field_values("type"), "platform": _platform_values},
    build=_mask_secrets,
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
    """Apply the body to a record; ``input`` is updated field by field."""
    new: JsonObject = {**old, **context.body}
    if "input" in context.body:
        new["input"] = {**old.get("input", {}), **context.body["input"]}
    return new


def update_authentication(context: RequestContext, old: JsonObject) -> JsonObject:
    """Apply the body to an authentication, without its secrets."""
    return _mask_secrets(update_connector(context, old))


def replace_transformation(context: RequestContext, old: JsonObject) -> JsonObject:
    """Replace a transformation by the body; its id and creation stay."""
    kept = {name: old[name] for name in ("transformationID", "owner", "createdAt")}
    return {**kept, **_build_transformation(context.body)}
