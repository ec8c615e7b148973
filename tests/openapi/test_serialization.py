"""What is judged and written in parts is what is judged and written whole."""

import copy
import pickle

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soundstage.openapi.responses import ResponseSerializer
from soundstage.openapi.schema import Direction, compile_schema
from soundstage.types import RecordPage, RecordVersion

NOTE = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "next": {"$ref": "#/schemas/Note"}},
}
NOTES = {"type": "array", "items": {"$ref": "#/schemas/Note"}}
FEW = {"type": "array", "items": NOTE, "minItems": 1, "maxItems": 2}
PAGE = {"type": "object", "required": ["notes"]}
SCHEMAS = {
    "Note": NOTE,
    "Page": {**PAGE, "properties": {"notes": NOTES, "others": FEW}},
    "Closed": {
        **PAGE,
        "properties": {"notes": {"$ref": "#/schemas/Notes"}, "of": {"type": "integer"}},
        "additionalProperties": False,
    },
    "Notes": NOTES,
    "OrNull": {"properties": {"notes": {"type": ["array", "null"], "items": {"type": "null"}}}},
    "None": {"properties": {"notes": {"type": "array", "items": False}}},
    # What follows cannot be told apart.
    "Unique": {"properties": {"notes": {**NOTES, "uniqueItems": True}}},
    "Holding": {"properties": {"notes": {**NOTES, "contains": {"required": ["next"]}}}},
    "Both": {
        "allOf": [{"properties": {"notes": {"items": {"required": ["next"]}}}}],
        "properties": {"notes": NOTES},
    },
    "First": {"properties": {"notes": {"prefixItems": [{"type": "string"}]}}},
}
DOCUMENT = {"openapi": "3.1.0", "schemas": SCHEMAS}

note = st.dictionaries(
    st.sampled_from(["id", "next", "of"]),
    st.one_of(st.integers(0, 2), st.just("1"), st.just({"id": 1}), st.just({})),
    max_size=3,
)
item = st.one_of(note, note.map(RecordVersion), st.none())
notes = st.one_of(
    st.lists(note.map(RecordVersion), max_size=3).map(RecordPage),
    st.lists(item, max_size=3),
    st.none(),
)
page = st.dictionaries(
    st.sampled_from(["notes", "others", "of"]), st.one_of(notes, notes, st.integers(0, 2))
)
value = st.one_of(page, page.map(RecordVersion), note.map(RecordVersion), notes)


def schema(name):
    return compile_schema(DOCUMENT, SCHEMAS[name], f"/schemas/{name}", Direction.RESPONSE)


@pytest.mark.parametrize("name", SCHEMAS)
@given(values=st.lists(value, max_size=4))
@example([{"notes": RecordPage([RecordVersion(id="1")])}])
@example([{"notes": RecordPage([RecordVersion(id=1)]), "others": RecordPage()}])
@example([{"notes": RecordPage([RecordVersion(id=1)]), "others": [{"id": 1}, RecordVersion(id=1)]}])
@example([{"notes": RecordPage([RecordVersion(id=1)] * 2)}])
@example(
    [{"notes": RecordPage([RecordVersion(id=1)]), "others": RecordPage([RecordVersion(id=1)] * 3)}]
)
@example(
    [{"notes": RecordPage([RecordVersion(id=1)])}, {"notes": RecordPage([RecordVersion(id="1")])}]
)
@example([{"notes": RecordPage(), "others": RecordPage([RecordVersion(id=1)])}])
@example([{"notes": RecordPage([RecordVersion(id=1, next={"id": 1})])}])
def test_what_is_written_is_what_the_schema_admits(name, values):
    whole, writer = schema(name), ResponseSerializer(schema(name))
    for one in [*values, *values]:
        plain = orjson.dumps(one) if whole.is_valid(one) else None
        assert writer.serialize(one) == plain


def test_what_one_schema_admits_is_not_admitted_by_another():
    version = RecordVersion(id=1, of="x")
    assert ResponseSerializer(schema("Note")).serialize(version) == b'{"id":1,"of":"x"}'
    strict = compile_schema(
        DOCUMENT, {"properties": {"of": {"type": "integer"}}}, "", Direction.RESPONSE
    )
    assert ResponseSerializer(strict).serialize(version) is None
    assert ResponseSerializer(schema("Note")).serialize(version) == b'{"id":1,"of":"x"}'


def test_a_version_is_written_once_and_so_is_a_page():
    writer, version = ResponseSerializer(schema("Page")), RecordVersion(id=1)
    page = RecordPage([version])
    writer.serialize({"notes": page})
    told = (dict(version.serialized), dict(page.serialized))
    writer.serialize({"notes": page})
    writer.serialize({"notes": RecordPage([version, RecordVersion(id=2)])})
    assert (version.serialized, page.serialized) == told
    assert [*version.serialized] == [*page.serialized]  # by the schema of an item


def test_a_page_that_breaks_the_contract_does_so_every_time():
    writer, page = (
        ResponseSerializer(schema("Page")),
        RecordPage([RecordVersion(id=1), RecordVersion(id="2")]),
    )
    assert writer.serialize({"notes": page}) is None
    assert writer.serialize({"notes": page}) is None


def test_numbers_that_only_python_knows_are_written_beside_versions():
    big = 2**70
    text = ResponseSerializer(schema("Page")).serialize(
        {"notes": RecordPage([RecordVersion(id=1)]), "of": big}
    )
    assert text is not None
    assert orjson.loads(text)["notes"] == [{"id": 1}]
    assert str(big).encode() in text


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.append(1),
        lambda v: v.extend([1]),
        lambda v: v.insert(0, 1),
        lambda v: v.pop(),
        lambda v: v.remove(2),
        lambda v: v.clear(),
        lambda v: v.sort(),
        lambda v: v.reverse(),
        lambda v: v.__setitem__(0, 1),
        lambda v: v.__delitem__(0),
        lambda v: v.__iadd__([1]),
        lambda v: v.__imul__(2),
    ],
)
def test_a_page_never_changes(change):
    page = RecordPage([2, 1])
    with pytest.raises(TypeError, match="immutable"):
        change(page)
    assert page == [2, 1]
    assert type(copy.deepcopy(page)) is list


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(id=2),
        lambda v: v.pop("id"),
        lambda v: v.popitem(),
        lambda v: v.setdefault("more", 1),
        lambda v: v.clear(),
        lambda v: v.__setitem__("id", 2),
        lambda v: v.__delitem__("id"),
        lambda v: v.__ior__({"id": 2}),
    ],
)
def test_a_version_never_changes(change):
    version = RecordVersion(id=1)
    with pytest.raises(TypeError, match="immutable"):
        change(version)
    assert version == {"id": 1}


@pytest.mark.parametrize(
    "copied",
    [
        dict,
        copy.copy,
        copy.deepcopy,
        lambda v: pickle.loads(pickle.dumps(v)),  # noqa: S301 - our own
        lambda v: v.copy(),
        lambda v: {**v},
        lambda v: v | {},
    ],
)
def test_a_copy_of_a_version_may_change(copied):
    version = RecordVersion(id=1)
    other = copied(version)
    assert type(other) is dict
    assert other == version
    with pytest.raises(AttributeError):
        _ = version.known
