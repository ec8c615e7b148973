"""``soundstage diff``, as a user runs it, and the examples of docs/diff.md."""

import json
import re
import shutil

import pytest

from soundstage import vendored_files
from support.cli import run_command
from support.docs import DOCS
from support.server import run_process

PAGE = (DOCS / "diff.md").read_text()


@pytest.fixture
def shown(tmp_path):
    """The two documents of the page."""
    for block in re.findall(r"^```yaml\n# (.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        name, _, text = block.partition("\n")
        (tmp_path / name).write_text(text)
    return tmp_path / "old.yaml", tmp_path / "new.yaml"


@pytest.mark.slow
def test_the_page_shows_the_output(shown):
    done = run_process("diff", *map(str, shown))
    (text,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert (done.stdout, done.returncode) == (text, 1)


def test_breaking_changes_may_be_allowed(shown):
    assert run_command("diff", *map(str, shown), "--allow-breaking").returncode == 0


def test_a_change_that_breaks_no_client_is_no_failure(shown):
    old, new = shown
    text = old.read_text()
    new.write_text(text.replace("[asc, desc]", "[asc, desc, '']"))
    done = run_command("diff", str(old), str(new))
    assert done.returncode == 0
    assert done.stdout.endswith("0 breaking, 1 not breaking\n")
    assert run_command("diff", str(old), str(old)).stdout == "no change of the contract\n"


def test_changes_are_json_for_machines(shown):
    changes = json.loads(run_command("diff", *map(str, shown), "--json").stdout)
    assert changes[1] == {
        "rule": "answer-enum-widened",
        "breaking": True,
        "operation": "getRun",
        "at": "answer.200.status",
        "pointer": "/components/schemas/Run/properties/status/enum",
        "document": "new",
        "message": 'enum: with "paused"',
    }


@pytest.mark.parametrize("api", sorted(p.name for p in vendored_files.specs().iterdir()))
def test_a_vendored_contract_is_that_of_its_folder(api, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(vendored_files.specs() / api, folder)
    done = run_command("diff", api, str(folder))
    assert (done.stdout, done.returncode) == ("no change of the contract\n", 0)


def test_an_overlay_is_applied_to_a_folder_and_not_to_a_file():
    folder = vendored_files.specs() / "trieve"
    done = run_command("diff", str(folder), str(folder / "openapi.yaml"))
    assert done.returncode == 1
    assert "status-removed: gone\n      in get_events answer.401\n" in done.stdout


UNUSABLE = [
    ("nothing-there", "nothing-there: cannot be read: No such file or directory"),
    (".", "has none of openapi.yaml, openapi.yml, openapi.json"),
    ("old.json", "old.json:1: at /openapi: OpenAPI 3.0 and 3.1 are supported, not '2.0'"),
    ("lost.json", "at /paths/~1a/get/parameters/0: #/nowhere does not exist"),
]


@pytest.mark.parametrize(("given", "message"), UNUSABLE)
def test_a_document_that_cannot_be_used_is_one_sentence(tmp_path, given, message):
    (tmp_path / "old.json").write_text('{"openapi": "2.0"}')
    get = {"parameters": [{"$ref": "#/nowhere"}], "responses": {}}
    lost = {"openapi": "3.0.0", "paths": {"/a": {"get": get}}}
    (tmp_path / "lost.json").write_text(json.dumps(lost))
    path = str(tmp_path / given)
    done = run_command("diff", path, path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
