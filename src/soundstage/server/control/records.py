"""Records: read and written in any collection."""

from soundstage.apis.api import Answer, Call, Handler, NotFound
from soundstage.server.control.runs import worded
from soundstage.server.worlds import Worlds
from soundstage.world.log import Delete, Patch, Put


def handlers(_hosts: Worlds) -> dict[str, Handler]:
    """What is done to the records of the world that is addressed."""
    return {
        "listRecords": list_records,
        "getRecord": get_record,
        "putRecord": lambda call: _written(call, Put(*_place(call), call.body)),
        "patchRecord": lambda call: _written(call, Patch(*_place(call), call.body)),
        "deleteRecord": delete_record,
    }


def list_records(call: Call) -> Answer:
    """The documents of a collection, the newest first."""
    api, collection = call.parameters["api"], call.parameters["collection"]
    with worded():
        found = call.world.collection(api, collection).all(call.now)
    newest = found[::-1][: call.parameters["limit"]]
    return Answer({"records": newest, "total": len(found)})


def get_record(call: Call) -> Answer:
    """One document as it is now."""
    api, collection, record_id = _place(call)
    with worded():
        document = call.world.collection(api, collection).get(record_id, call.now)
    if document is None:
        raise NotFound(collection, record_id)
    return Answer(document)


def delete_record(call: Call) -> Answer:
    """Let a record be no more."""
    with worded():
        call.world.apply(Delete(*_place(call)))
    return Answer(None, 204)


def _written(call: Call, command: Put | Patch) -> Answer:
    with worded():
        record = call.world.apply(command)
    return Answer(record.as_of(call.world.clock.now()))


def _place(call: Call) -> tuple[str, str, str]:
    given = call.parameters
    return given["api"], given["collection"], given["id"]
