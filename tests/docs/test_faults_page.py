"""docs/faults.md names every kind of fault, and what it shows works."""

import json
import re
from pathlib import Path

import httpx
import pytest

from soundstage.pytest_plugin.transport import InProcessTransport
from soundstage.server.background import BackgroundServer
from soundstage.server.faults import FAULT_KINDS

TEXT = (Path(__file__).parents[2] / "docs/faults.md").read_text()
TABLE = TEXT.partition("## Kinds")[2].partition("##")[0]
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", TABLE, re.MULTILINE))
EXAMPLES = [
    json.loads(line)
    for block in re.findall(r"^```json\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
EXAMPLES += [
    json.loads(body) for body in re.findall(r"^curl (?:.*\\\n)*.*-d '(.*?)'", TEXT, re.MULTILINE)
]


@pytest.fixture(scope="module")
def client():
    server = BackgroundServer()
    transport = InProcessTransport(server)
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
    server.stop()


@pytest.mark.parametrize("kind", FAULT_KINDS.values(), ids=FAULT_KINDS)
def test_every_kind_stands_in_the_table_with_all_it_takes(kind):
    for option, schema in kind.OPTIONS.items():
        row = ROWS[kind.NAME]
        assert f"`{option}`" in row
        assert all(f"`{value}`" in row for value in schema.get("enum", ()))
        assert f"({schema.get('default')})" in row or not isinstance(
            schema.get("default"), int | float
        )


def test_there_is_an_example_of_every_kind():
    assert {example["kind"] for example in EXAMPLES} == FAULT_KINDS.keys()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["kind"])
def test_every_example_can_be_injected(client, example):
    answer = client.post("/_soundstage/faults", json=example)
    assert answer.status_code == 201, answer.text


def test_every_field_of_a_rule_is_documented(client):
    contract = client.get("/_soundstage/specs/soundstage.json").json()
    fields = contract["components"]["schemas"]["NewFault"]["properties"]
    assert all(f"`{field}`" in TEXT for field in fields.keys() - {"kind", "options"})
