"""What the documents say is true: their examples run, their promises hold."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from soundstage.apis.registry import load_api, load_fixture, load_service
from soundstage.cli import build_parser
from soundstage.world.values import _FORMS
from support.server import running_server
from support.works_with import long, short

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SOURCE = ROOT / "src/soundstage"
FIXTURES = (ROOT / "docs/fixtures.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for name, block in fenced if name == language]


CURLS = [
    line
    for block in blocks(README, "sh")
    for line in re.findall(r"^curl (?:.*\\\n)*.*", block, re.MULTILINE)
]


@pytest.fixture(scope="module")
def server():
    with running_server("--speed", "60") as s:
        yield s


def pasted(line: str, url: str) -> str:
    command = line.replace("http://127.0.0.1:4010", url)
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout


def test_readme_has_a_line_for_each_of_the_five_operations_and_two_more():
    assert len(CURLS) == 7


@pytest.mark.slow
@pytest.mark.parametrize("line", [c for c in CURLS if "curl -si" not in c])
def test_readmes_lines_answer_with_data(server, line):
    body = json.loads(pasted(line, server.url))
    assert "message" not in body
    assert "error" not in body
    lists = [value for value in body.values() if isinstance(value, list)]
    assert all(lists), "no list in the answer is empty"


@pytest.mark.slow
def test_readmes_rubbish_is_refused_as_it_says(server):
    (line,) = [c for c in CURLS if "curl -si" in c]
    answer = pasted(line, server.url)
    (shown,) = [b for b in blocks(README, "") if b.startswith("HTTP/1.1")]
    first, header = shown.splitlines()
    assert answer.startswith(first)
    assert header.removesuffix(", …]") in answer


def test_readme_names_every_command_and_option_of_serve():
    commands = build_parser()._subparsers._group_actions[0].choices
    for name, command in commands.items():
        assert f"`soundstage {name}`" in README
        for action in command._actions:
            option = action.option_strings[-1:]
            if name == "serve" and option and option != ["--help"]:
                assert option[0] in README


def test_the_example_fixture_can_be_served(tmp_path):
    (example,) = blocks(FIXTURES, "yaml")
    path = tmp_path / "example.yaml"
    path.write_text(example)
    service = load_service(load_api("algolia-ingestion"), load_fixture(path))
    assert list(service.fixture.definitions.scenarios) == ["clean_reindex"]


def test_every_value_form_is_documented():
    for form in _FORMS:
        assert all(f"{key}:" in FIXTURES for key in form), form


def test_the_tables_of_clients_are_what_their_stories_wrote_down():
    assert short() in (ROOT / "README.md").read_text()
    assert long() in (ROOT / "docs/clients.md").read_text()


def test_a_module_of_more_than_400_lines_gives_the_reason():
    texts = {path: path.read_text() for path in SOURCE.rglob("*.py")}
    long = {path.name for path, text in texts.items() if len(text.splitlines()) > 400}
    reasoned = {path.name for path, text in texts.items() if "This module is long" in text}
    assert long <= reasoned


ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()


def test_architecture_fits_on_a_page_and_names_every_package():
    lines = ARCHITECTURE.splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 100
    packages = [path.parent.name for path in SOURCE.rglob("__init__.py")]
    assert [name for name in packages if f"{name}/" not in ARCHITECTURE] == []


def test_every_module_and_function_that_architecture_names_exists():
    modules = {path.name for path in SOURCE.rglob("*.py")}
    named = re.findall(r"\b([a-z_]+\.py)\b", ARCHITECTURE)
    assert sorted(set(named) - modules) == []
    text = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
    names = re.findall(r"`([A-Za-z_]+)`", ARCHITECTURE)
    assert [name for name in names if name not in text] == []
