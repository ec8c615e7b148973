"""What tasks are made of: authentications, sources, transformations, destinations."""

from typing import Final

from soundstage.apis.algolia_ingestion.application import values_of
from soundstage.apis.algolia_ingestion.lists import field
from soundstage.apis.algolia_ingestion.resources import Resource
from soundstage.apis.algolia_ingestion.vocabulary import VOCABULARY
from soundstage.apis.api import Call
from soundstage.types import Document, Json

SECRETS: Final = frozenset({"privateKey", "password", "key", "client_secret", "apiKey"})
"""What an answer has null for."""

UNTOLD: Final = frozenset({"code"})
"""What no answer has."""


def _authentication(body: Document) -> Document:
    return {**body, "input": masked(body["type"], body["input"])}


def masked(kind: str, given: Document) -> Document:
    """The input of an authentication without its secrets, which nobody needs here."""
    if kind == "secrets":
        return dict.fromkeys(given)
    return {
        name: None if name in SECRETS else value
        for name, value in given.items()
        if name not in UNTOLD
    }


def _transformation(body: Document) -> Document:
    """Said in the old way (``code``) and in the new one, however it was given."""
    given = body.get("input")
    if given is None:
        code, kind = body.get("code", ""), body.get("type", "code")
        given = {"code": code} if kind == "code" else {"steps": []}
        return {**body, "code": code, "type": kind, "input": given}
    kind = "code" if "code" in given else "noCode"
    return {"type": kind, **body, "code": body.get("code", given.get("code", ""))}


def _platforms(_: Call, authentication: Document) -> tuple[Json, ...]:
    """Its platform, or the two words that a filter has for none."""
    platform = authentication.get("platform")
    return (None, "none") if platform is None else (platform,)


AUTHENTICATIONS: Final = Resource(
    VOCABULARY.kinds["authentication"],
    filters={"type": field("type"), "platform": _platforms},
    made=_authentication,
)

SOURCES: Final = Resource(
    VOCABULARY.kinds["source"],
    filters={
        "type": field("type"),
        "authenticationID": lambda _, s: (s.get("authenticationID", "none"),),
    },
)

TRANSFORMATIONS: Final = Resource(
    VOCABULARY.kinds["transformation"],
    filters={"type": field("type")},
    made=_transformation,
    named=False,
)

DESTINATIONS: Final = Resource(
    VOCABULARY.kinds["destination"],
    filters={
        "type": field("type"),
        "authenticationID": field("authenticationID"),
        "transformationID": lambda _, d: values_of(d.get("transformationIDs")),
    },
)


def revised(call: Call, old: Document) -> Document:
    """The record with what the request gives; ``input`` is changed field by field."""
    new: Document = {**old, **call.body}
    if "input" in call.body:
        new["input"] = {**old.get("input", {}), **call.body["input"]}
    return new


def revised_authentication(call: Call, old: Document) -> Document:
    """As ``revised``; the secrets that it gives are not kept."""
    new = revised(call, old)
    return {**new, "input": masked(new["type"], new["input"])}


def rewritten(call: Call, old: Document) -> Document:
    """The transformation as the request describes it."""
    kept = {name: old[name] for name in ("transformationID", "owner", "createdAt")}
    return {**kept, **_transformation(call.body)}
