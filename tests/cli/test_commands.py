"""``soundstage check`` and ``soundstage apis``, and the help of every command."""

import json
import shutil

import pytest

from soundstage import vendored_files
from support.server import run_process

pytestmark = pytest.mark.slow

APIS = ["algolia-ingestion", "runwisp", "trieve", "trigger-dev"]


def test_check_finds_nothing_wrong_with_what_is_vendored():
    done = run_process("check", "--json")
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert len(findings) == 13  # five documents, four overlays, four fixtures
    assert all(finding["error"] is None for finding in findings)


SPEC = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    get:\n"

BROKEN = [
    ("a.yaml", "hello: 1\n", "is neither an OpenAPI document, an overlay nor a fixture"),
    ("a.yaml", "a: [\n", "is not YAML"),
    ("a.yaml", "- 1\n", "is not a mapping"),
    ("a.yaml", "api: 1\n", "a.yaml:1: at /api: 1 is not of type"),
    ("a.yaml", "api: trieve\napi: trieve\n", "a.yaml:2: is not YAML: the key 'api'"),
    ("a.yaml", "api: missing\n", "there is no API 'missing'"),
    ("openapi.yaml", "openapi: 2.0.0\n", "OpenAPI 3.0 and 3.1"),
    (
        "openapi.yaml",
        SPEC + "      responses:\n        '200':\n          description: ok\n"
        "          content: {application/json: {schema: {$ref: '#/x'}}}\n",
        "openapi.yaml",
    ),
]


@pytest.mark.parametrize(("name", "text", "message"), BROKEN)
def test_check_names_file_line_and_reason(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    done = run_process("check", str(path))
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_check_names_which_overlay_action_no_longer_applies(tmp_path):
    shutil.copytree(vendored_files.specs() / "trieve", tmp_path / "trieve")
    overlay = tmp_path / "trieve" / "overlay.yaml"
    text = overlay.read_text() + "  - {target: $.nowhere, description: x, update: {}}\n"
    overlay.write_text(text)
    done = run_process("check", str(overlay))
    assert done.returncode == 1
    assert f"{overlay}:{len(text.splitlines())}" in done.stderr
    assert "$.nowhere matches nothing in the document" in done.stderr


def test_apis_lists_operations_and_scenarios():
    listed = json.loads(run_process("apis", "--json").stdout)
    assert list(listed) == APIS
    for api in listed.values():
        assert api["operations"]
        assert len(api["scenarios"]) >= 6
        assert all(api["scenarios"].values()), "every scenario has a description"
    text = run_process("apis").stdout
    assert "getTaskRuns" in text
    assert "too_many_errors" in text


@pytest.mark.parametrize("api", APIS)
def test_apis_prints_the_effective_contract(api):
    document = json.loads(run_process("apis", "--contract", api).stdout)
    statuses = {
        status
        for path in document["paths"].values()
        for method in ("get", "post")
        if method in path
        for status in path[method]["responses"]
    }
    assert statuses & {"401", "403"}, "the overlay is applied"


def test_apis_of_a_name_that_is_not_there():
    done = run_process("apis", "--contract", "nope")
    assert done.returncode == 2
    assert "there is no API 'nope'" in done.stderr


HELP = {
    (): ["serve", "check", "apis", "proxy", "record", "--version"],
    ("serve",): ["--api", "--host", "--port", "--seed", "--now", "--speed", "--json"],
    ("check",): ["FILE"],
    ("apis",): ["--contract", "--json"],
    ("proxy",): ["URL", "--api", "--spec", "--record", "--fail-on", "--json"],
    ("record",): ["HAR", "--api", "--to", "--into", "--run", "--name", "--json"],
    ("coverage",): ["--url", "--except", "--fail-under", "--report", "--report-dir"],
    ("diff",): ["OLD", "NEW", "--allow-breaking", "--json"],
}


@pytest.mark.parametrize("command", HELP)
def test_help_names_every_option(command):
    done = run_process(*command, "--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in HELP[command])
