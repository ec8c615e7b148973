"""The value forms of docs/fixtures.md, each of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundstage.world.clock import HOUR, MINUTE
from soundstage.world.errors import FixtureError
from soundstage.world.ids import ID_FORMATS, friendly_id
from soundstage.world.random import BoundaryRandom, SeededRandom
from soundstage.world.values import (
    ConstantContext,
    apply_patch,
    compile_duration,
    compile_patch,
    compile_value,
    require_count,
)
from support.strategies import NOW

PLACE = "/scenarios/story/draw/x"


class Scene(ConstantContext):
    """A scene in which these names stand for something."""

    names = {  # noqa: RUF012 - never written to
        "count": 3,
        "name": "Ada",
        "size": {"height": 720},
        "flag": None,
        "run": {"id": "r1", "tags": ["a"]},
    }

    def resolve(self, name):
        value = self.names
        for part in name.split("."):
            value = value[part]
        return value


def draws(node, times=200, present=None):
    scene = Scene(SeededRandom(1), NOW)
    value = compile_value(node, PLACE)
    return [value(scene, present) for _ in range(times)]


def drawn(node, present=None):
    (value,) = draws(node, 1, present)
    return value


@pytest.mark.parametrize(
    "node",
    [
        0,
        -1.5,
        True,
        None,
        "",
        "text",
        "4.9",
        "4..x",
        "a..b",
        "1s..4s",
        "..",
        "[1..2]",
        [1, None, ["a"]],
        {},
        {"a": {"b": None}},
        {"any": [1], "fake": "name"},
    ],
)
def test_a_value_without_form_is_itself(node):
    assert drawn(node) == node


@pytest.mark.parametrize(
    ("node", "values"),
    [
        ("4..9", {4, 5, 6, 7, 8, 9}),
        ("9..4", {4, 5, 6, 7, 8, 9}),
        ("7..7", {7}),
        ("-2..1", {-2, -1, 0, 1}),
        ("-3..-2", {-3, -2}),
        ({"any": ["a", "b", None]}, {"a", "b", None}),
        ({"any": ["1..2", "8..9"]}, {1, 2, 8, 9}),
        ({"any": ["$name", {"literal": "$name"}]}, {"Ada", "$name"}),
    ],
)
def test_a_form_generates_each_of_its_values_and_no_other(node, values):
    assert set(draws(node)) == values


@pytest.mark.parametrize(
    ("node", "least", "most"),
    [("0.5..1.5", 0.5, 1.5), ("1.5..0.5", 0.5, 1.5), ("-1..0.25", -1, 0.25)],
)
def test_a_number_range_generates_numbers_between_its_ends(node, least, most):
    values = draws(node)
    assert all(isinstance(v, float) and least <= v <= most for v in values)
    assert max(values) - min(values) > 0.9 * (most - least)


@pytest.mark.parametrize(
    ("node", "turn", "value"),
    [
        ("4..9", 0, 4),
        ("4..9", 1, 9),
        ("0.5..1.5", 0, 0.5),
        ("0.5..1.5", 1, 1.5),
        ({"any": ["a", "b", "c"]}, 2, "c"),
        ({"any": ["a", "b", "c"]}, 3, "a"),
    ],
)
def test_boundary_values_are_the_ends_and_each_alternative(node, turn, value):
    assert compile_value(node, PLACE)(Scene(BoundaryRandom(turn), NOW), None) == value


def test_alternatives_come_evenly():
    values = draws({"any": ["a", "b", "b"]}, 3000)
    assert 900 < values.count("a") < 1100


def test_a_fake_is_a_text_that_faker_makes():
    values = draws({"fake": "email"})
    assert all(re.fullmatch(r"\S+@\S+\.\w+", value) for value in values)
    assert len(set(values)) > 50


SHAPES = {
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "ulid": r"[0-7][0-9A-HJKMNP-TV-Z]{25}",
    "hex16": r"[0-9a-f]{16}",
    "hex32": r"[0-9a-f]{32}",
}


@pytest.mark.parametrize("form", ID_FORMATS)
def test_an_id_is_new_and_well_formed(form):
    values = draws({"id": form})
    assert all(re.fullmatch(SHAPES[form], value) for value in values)
    assert len(set(values)) == len(values)


def test_a_friendly_id_has_its_prefix():
    values = {friendly_id("run_")(SeededRandom(seed), NOW) for seed in range(50)}
    assert all(re.fullmatch(r"run_[1-9a-km-z]{21}", value) for value in values)
    assert len(values) == 50


@given(st.integers(0, NOW), st.integers(1, HOUR), st.integers())
def test_a_later_ulid_sorts_after_an_earlier_one(at, span, seed):
    form, chance = ID_FORMATS["ulid"], SeededRandom(seed)
    assert form(chance, at + span) > form(chance, at)


@pytest.mark.parametrize(
    ("node", "present", "value"),
    [
        ({"times": 3, "of": "a"}, None, ["a", "a", "a"]),
        ({"times": 0, "of": "a"}, None, []),
        ({"times": "$count", "of": {"n": "$count"}}, None, [{"n": 3}] * 3),
        ({"json": {"b": 1, "a": [None, "$name"]}}, None, '{"a":[null,"Ada"],"b":1}'),
        ({"json": None}, None, "null"),
        ({"add": 2}, 5, 7),
        ({"add": 2}, None, 2),
        ({"add": -1}, 0, -1),
        ({"add": "$count"}, 0.5, 3.5),
        ({"append": "$name"}, ["a"], ["a", "Ada"]),
        ({"append": {"n": 1}}, None, [{"n": 1}]),
        ({"append": ["a"]}, [], [["a"]]),
        ({"literal": None}, 1, None),
        ({"literal": "$name"}, 1, "$name"),
        ({"literal": {"any": ["1..2"]}}, 1, {"any": ["1..2"]}),
    ],
)
def test_a_form_generates_its_value(node, present, value):
    assert drawn(node, present) == value


def test_each_value_of_times_is_generated_separately():
    (values,) = draws({"times": 50, "of": "1..1000"}, 1)
    assert len(set(values)) > 40


def test_append_leaves_the_present_list_as_it_is():
    present = ["a"]
    drawn({"append": "b"}, present)
    assert present == ["a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$count", 3),
        ("${count}", 3),
        ("$size", {"height": 720}),
        ("$size.height", 720),
        ("${size.height}", 720),
        ("$run.tags", ["a"]),
        ("$flag", None),
        ("$name and $name", "Ada and Ada"),
        ("Part $count of 4", "Part 3 of 4"),
        ("$count% done", "3% done"),
        ("${name}s", "Adas"),
        ("${name}.ts", "Ada.ts"),
        ("$name.", "Ada."),
        ("at $size.height, $name", "at 720, Ada"),
        ("$$name", "$name"),
        ("costs 5$", "costs 5$"),
        ("$5", "$5"),
        ("a$$b", "a$b"),
    ],
)
def test_a_name_is_its_value_or_is_inserted_into_the_text(text, value):
    assert drawn(text) == value


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("$missing", "$missing is not defined here"),
        ("Hello $missing", "$missing is not defined here"),
        ("$size.width", "$size.width is not defined here"),
        ({"fake": "nonsense"}, "Faker has no provider 'nonsense'"),
        ({"fake": "enum"}, "Faker has no provider 'enum'"),
        ({"id": "guid"}, "there is no id form 'guid'; there are: uuid, ulid"),
        ({"any": []}, "any takes a list of at least one value"),
        ({"any": "a"}, "any takes a list of at least one value"),
        ({"times": -1, "of": 0}, "a count is a whole number from 0 up, not -1"),
        ({"times": 1.5, "of": 0}, "a count is a whole number from 0 up, not 1.5"),
        ({"times": "$name", "of": 0}, "a count is a whole number from 0 up, not 'Ada'"),
        ({"times": True, "of": 0}, "a count is a whole number from 0 up, not True"),
    ],
)
def test_an_invalid_form_is_reported_with_its_reason_and_pointer(node, message):
    with pytest.raises(FixtureError, match=re.escape(message)) as error:
        drawn(node)
    assert error.value.pointer == PLACE


@pytest.mark.parametrize(
    ("node", "place"),
    [
        ([1, {"id": "x"}], "/1"),
        ({"a": {"any": []}}, "/a"),
        ({"any": [1, "$missing"]}, "/any/1"),
        ({"times": 1, "of": "$missing"}, "/of"),
        ({"json": {"a": "$missing"}}, "/json/a"),
        ({"add": "$missing"}, "/add"),
        ({"append": "$missing"}, "/append"),
    ],
)
def test_the_pointer_of_a_mistake_in_a_form_is_reported(node, place):
    with pytest.raises(FixtureError) as error:
        draws(node)
    assert error.value.pointer == PLACE + place


@pytest.mark.parametrize(
    ("node", "least", "most"),
    [
        ("5s", 5000, 5000),
        ("1ms..3ms", 1, 3),
        ("250ms..2m", 250, 2 * MINUTE),
        ({"any": ["1ms", "2ms..3ms"]}, 1, 3),
        ("3ms..1ms", 1, 3),
    ],
)
def test_a_duration_range_includes_both_ends(node, least, most):
    scene = Scene(SeededRandom(1), NOW)
    value = compile_duration(node, PLACE)
    spans = {value(scene, None) for _ in range(300)}
    assert all(least <= span <= most for span in spans)
    if most - least < 5:
        assert spans == set(range(least, most + 1))


@pytest.mark.parametrize("node", ["5", "1s..", "..1s", "1s..2", "soon", 5])
def test_an_invalid_duration_is_reported(node):
    with pytest.raises(FixtureError, match="is not a duration such as 250ms"):
        compile_duration(node, PLACE)


@pytest.mark.parametrize("node", [{"any": []}, {"any": 5}, {"any": None}])
def test_a_duration_without_alternatives_is_reported(node):
    with pytest.raises(FixtureError, match="any takes a list of at least one value"):
        compile_duration(node, PLACE)


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [  # the cases of RFC 7386, appendix A, that are about objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": "b"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
        # and ours
        ({"a": {"b": 1}}, {"a": {"b": {"add": 1}}}, {"a": {"b": 2}}),
        ({}, {"a": {"literal": None}}, {"a": None}),
        ({"a": {"b": 1}}, {"a": {"literal": {}}}, {"a": {}}),
        ({}, {"a": {"b": "$name"}}, {"a": {"b": "Ada"}}),
        ({}, {"any": [1]}, {"any": [1]}),
    ],
)
def test_a_patch_is_a_json_merge_patch(document, patch, result):
    scene = Scene(SeededRandom(1), NOW)
    assert apply_patch(document, compile_patch(patch, PLACE), scene) == result


def test_a_patch_leaves_the_document_before_it_as_it_is():
    before = {"a": {"b": [1]}, "c": 1}
    patch = {"a": {"b": {"append": 2}, "d": 3}, "c": None}
    apply_patch(before, compile_patch(patch, PLACE), Scene(SeededRandom(1), NOW))
    assert before == {"a": {"b": [1]}, "c": 1}


def test_the_pointer_of_a_mistake_in_a_patch_is_reported():
    with pytest.raises(FixtureError) as error:
        compile_patch({"a": {"b": {"id": "x"}}}, PLACE)
    assert error.value.pointer == f"{PLACE}/a/b"


@pytest.mark.parametrize("count", [0, 1, 10**9])
def test_a_count_is_a_whole_number(count):
    assert require_count(count, PLACE) == count
