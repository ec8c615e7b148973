"""What was found good once is not judged again; what has changed always is."""

import math
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

import soundstage
from soundstage import cache, vendored_files
from soundstage.apis.registry import build_fixture, load_fixture, load_services
from soundstage.openapi.contract import load_contract
from soundstage.openapi.errors import DocumentError

SPEC = """openapi: 3.1.0
info: {title: first}
paths:
  /a:
    get:
      operationId: getA
      responses: {"200": {content: {application/json: {schema: {type: integer}}}}}
"""
OVERLAY = """overlay: 1.0.0
actions:
  - target: $.info
    update: {title: repaired}
"""
FIXTURE = """api: algolia-ingestion
tasks: {mine: {}}
scenarios: {s: {steps: [{run: {status: a}}]}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "soundstage"


@pytest.fixture
def spec(tmp_path):
    """A folder with a document and its overlay, which were loaded before."""
    (tmp_path / "openapi.yaml").write_text(SPEC)
    (tmp_path / "overlay.yaml").write_text(OVERLAY)
    load_contract("a", tmp_path)
    return tmp_path


def kept(folder):
    return sorted(folder.iterdir()) if folder.exists() else []


def test_what_was_kept_is_given_back():
    name = cache.entry_name("a", "text")
    assert cache.get(name) is None
    cache.put(name, {"a": [1, None]})
    assert cache.get(name) == {"a": [1, None]}


def test_other_texts_are_another_entry():
    names = {
        cache.entry_name(*parts)
        for parts in [("a", "b"), ("a", "b", ""), ("a", "bc"), ("a", "b", "c"), ("ab",)]
    }
    assert len(names) == 5


def test_a_contract_is_the_same_from_the_cache(spec):
    again = load_contract("a", spec)
    assert again.document["info"] == {"title": "repaired"}
    assert again.operations["getA"].validate_response(200, "application/json", "no integer")
    assert not again.operations["getA"].validate_response(200, "application/json", 1)


def test_what_was_found_good_is_compiled_when_it_is_used(spec):
    answer = load_contract("a", spec).operations["getA"].responses["200"]
    assert not answer._compiled
    assert answer["application/json"].schema._validator is None
    assert answer["application/json"].schema.is_valid(1)
    assert answer["application/json"].schema._validator is not None


@pytest.mark.parametrize(
    ("file", "old", "new", "title"),
    [
        ("openapi.yaml", "title: first", "title: first, x: 1", "repaired"),
        ("overlay.yaml", "title: repaired", "title: mended", "mended"),
        ("overlay.yaml", "update: {title: repaired}", "remove: true", None),
        ("overlay.yaml", OVERLAY, None, "first"),
    ],
)
def test_a_byte_that_changes_is_seen(spec, file, old, new, title):
    path = spec / file
    if new is None:
        path.unlink()
    else:
        path.write_text(path.read_text().replace(old, new))
    changed = load_contract("a", spec).document.get("info", {})
    assert (changed.get("title"), changed.get("x")) == (title, 1 if "x: 1" in str(new) else None)


def test_a_document_that_goes_bad_is_refused_with_its_line(spec):
    path = spec / "openapi.yaml"
    path.write_text(SPEC.replace("type: integer", "type: intege"))
    for _ in range(2):
        with pytest.raises(DocumentError) as error:
            load_contract("a", spec)
        assert (error.value.file, error.value.line) == (str(path), 7)


def test_a_fixture_that_goes_bad_is_refused_with_its_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("api: algolia-ingestion\ntasks: {mine: {}}\n")
    load_services(["algolia-ingestion"], [path])
    path.write_text(FIXTURE)
    for _ in range(2):
        with pytest.raises(DocumentError, match=f"{path}:3: "):
            load_services(["algolia-ingestion"], [path])


def test_the_same_fixture_is_judged_anew_where_the_contract_is_another(tmp_path):
    service = load_services(["runwisp"])["runwisp"]
    source = load_fixture(vendored_files.fixtures() / "runwisp.yaml")
    document = deepcopy(service.contract.document)
    document["components"]["schemas"]["Run"] = {"maxProperties": 1}
    other = replace(service.contract, document=document)
    with pytest.raises(DocumentError, match="breaks the contract"):
        build_fixture(source, service.api, other)


def test_a_schema_that_no_record_is_held_against_is_compiled_at_the_start(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("api: runwisp\ntasks: {mine: {}}\n")
    service = load_services(["runwisp"], [path])["runwisp"]
    document = deepcopy(service.contract.document)
    del document["components"]["schemas"]["DaemonInfo"]
    other = replace(service.contract, document=document)
    with pytest.raises(DocumentError, match="this schema does not exist"):
        build_fixture(load_fixture(path), service.api, other)


DAMAGES = {
    "a byte": lambda path: path.write_bytes(path.read_bytes().replace(b"1", b"2")),
    "its end": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "all of it": lambda path: path.write_bytes(b""),
    "others may write to it": lambda path: path.chmod(0o666),
    "it was another's": lambda path: path.write_bytes(_other().read_bytes()),
    "it is a folder": lambda path: (path.unlink(), path.mkdir()),
}


def _other():
    name = cache.entry_name("another")
    cache.put(name, 1)
    return Path(os.environ["XDG_CACHE_HOME"]) / "soundstage" / name


@pytest.mark.parametrize(("is_ours", "verdicts"), [(True, 1), (False, 0)])
def test_a_verdict_is_kept_where_our_own_code_came_to_it(folder, is_ours, verdicts):
    ours = load_services(["runwisp"])["runwisp"]
    for path in kept(folder):
        path.unlink()
    handlers = {**ours.api.handlers, **({} if is_ours else {"getInfo": lambda _: None})}
    source = load_fixture(vendored_files.fixtures() / "runwisp.yaml")
    build_fixture(source, replace(ours.api, handlers=handlers), ours.contract)
    assert sum(path.name.startswith("validated") for path in kept(folder)) == verdicts


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_entry_that_is_damaged_is_not_there(folder, damage):
    name = cache.entry_name("a")
    cache.put(name, 1)
    damage(folder / name)
    assert cache.get(name) is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_an_entry_of_another_user_is_not_there(folder):
    name = cache.entry_name("a")
    cache.put(name, 1)
    os.chown(folder / name, 1234, 1234)
    assert cache.get(name) is None


def test_nobody_else_can_read_or_write_what_is_kept(folder):
    cache.put(cache.entry_name("a"), 1)
    modes = [path.stat().st_mode & 0o777 for path in (folder, *kept(folder))]
    assert modes == [0o700, 0o600]


def test_without_a_folder_all_is_worked_out_each_time(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert load_services(["trieve"])["trieve"].contract.operations
    assert load_services(["trieve"])["trieve"].contract.operations


@pytest.mark.parametrize("value", [math.inf, 2**70, "\ud800", {1: 2}])
def test_what_json_would_change_is_not_kept(folder, value):
    name = cache.entry_name("a")
    cache.put(name, [value])
    assert (cache.get(name), kept(folder)) == (None, [])


def test_a_document_with_such_a_value_is_the_same_each_time(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("api: runwisp\ntasks: {mine: {odd: 1e999}}\n")
    loaded = [load_fixture(path).document["tasks"] for _ in range(2)]
    assert loaded == [{"mine": {"odd": math.inf}}] * 2


def test_only_so_many_are_kept_and_the_oldest_go(folder, monkeypatch):
    monkeypatch.setattr(cache, "MAX_ENTRIES", 3)
    names = [cache.entry_name("a", str(i)) for i in range(5)]
    for age, name in enumerate(names):
        cache.put(name, 1)
        os.utime(folder / name, (age, age))
    assert [cache.get(name) for name in names] == [None, None, 1, 1, 1]


def in_another_process(code, *path):
    there = os.pathsep.join(map(str, [*path, Path(soundstage.__file__).parent.parent]))
    return subprocess.run(
        [sys.executable, "-c", f"from soundstage import cache; {code}"],
        env={**os.environ, "PYTHONPATH": there},
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip


@pytest.mark.slow
def test_another_code_is_another_entry(tmp_path):
    package = tmp_path / "soundstage"
    shutil.copytree(Path(soundstage.__file__).parent, package)

    def name():
        return in_another_process("print(cache.__file__, cache.entry_name('a'))", tmp_path)

    file, before = name()
    assert Path(file).is_relative_to(tmp_path)
    assert name() == [file, before]
    change(package / "server" / "serve.py")
    assert name() == [file, before]
    change(package / "world" / "drawing.py")
    assert name() != [file, before]


def change(path):
    with path.open("a") as changed:
        changed.write("\n")


@pytest.mark.slow
def test_a_new_version_of_a_library_is_another_entry(tmp_path):
    """``jsonschema_rs`` stands for all."""
    there = tmp_path / "jsonschema_rs-0.0.1.dist-info"
    there.mkdir()
    names = set()
    for version in ("0.0.1", "0.0.2"):
        (there / "METADATA").write_text(f"Name: jsonschema-rs\nVersion: {version}\n")
        names.add(in_another_process("print(cache.entry_name('a'))", tmp_path)[0])
    assert len(names) == 2
