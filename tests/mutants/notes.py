"""A small API on Soundstage's own stack, in as many worlds as it has bugs."""

from pathlib import Path

from soundstage.apis.api import Api, RequestContext, Response, default_status
from soundstage.apis.registry import Service
from soundstage.openapi.contract import compile_contract
from soundstage.openapi.document import load_document
from soundstage.world.clock import format_rfc3339
from soundstage.world.commands import Delete, Put
from soundstage.world.fixture import compile_fixture
from soundstage.world.ids import uuid
from soundstage.world.query import slice_page, sort_documents
from soundstage.world.record import ApiModel, RecordType

NAME = "shelf"  # not "notes": /notes/… would be the prefix of the API
KEY = "a-secret-that-nobody-guesses"
DOCUMENT = load_document(Path(__file__).with_name("notes.yaml")).document

_KIND = RecordType("note", "notes", "noteID", uuid, None, "#/components/schemas/Note")
_STATUSES = ("open", "done", "dropped")


def list_notes(call: RequestContext) -> Response:
    given = call.parameters
    found = [
        note
        for note in call.collection("notes").all(call.now)
        if given.get("status") in {None, note["status"]}
    ]
    descending = given["order"] == "desc"
    found = sort_documents(found, lambda n: (n[given["sort"]], n["noteID"]), descending=descending)
    page = slice_page(found, given["page"], given["itemsPerPage"])
    total = (("X-Total", str(len(found))),)
    return Response({"notes": list(page), "total": len(found)}, headers=total)


def create_note(call: RequestContext) -> Response:
    return _written(call, call.new_id(uuid), 201)


def get_note(call: RequestContext) -> Response:
    return Response(call.get("notes", call.parameters["noteID"]))


def replace_note(call: RequestContext) -> Response:
    return _written(call, call.get("notes", call.parameters["noteID"])["noteID"], 200)


def delete_note(call: RequestContext) -> Response:
    note = call.get("notes", call.parameters["noteID"])
    call.world.apply(Delete(NAME, "notes", note["noteID"]))
    return Response(None, 204)


def _written(call: RequestContext, note_id: str, status: int) -> Response:
    note = {"noteID": note_id, "createdAt": format_rfc3339(call.now), **call.body}
    call.world.apply(Put(NAME, "notes", note_id, note))
    return Response(note, status)


def service() -> Service:
    """The API, with a dozen notes."""
    vocabulary = ApiModel.define(_KIND, at=lambda at, _: format_rfc3339(at))
    handlers = {
        "listNotes": list_notes,
        "createNote": create_note,
        "getNote": get_note,
        "replaceNote": replace_note,
        "deleteNote": delete_note,
    }
    made = Api(
        name=NAME,
        title="Notes",
        model=vocabulary,
        handlers=handlers,
        render_error=lambda error: Response({"message": str(error)}, default_status(error)),
    )
    records = [
        {
            "noteID": f"00000000-0000-4000-8000-{number:012}",
            "title": f"note {number}",
            "status": _STATUSES[number % 3],
            "createdAt": f"2025-12-{31 - number * 7 % 12:02}T00:00:00.000Z",
        }
        for number in range(12)
    ]
    fixture = {"api": NAME, "credentials": [{"key": KEY}], "records": {"note": records}}
    contract = compile_contract(NAME, DOCUMENT)
    return Service(made, contract, compile_fixture(fixture, vocabulary))
