"""What a start does not do, so that it stays short: no figure here is a time."""

import re
import subprocess
import sys

import httpx
import pytest

from support.server import SOUNDSTAGE, running_server

pytestmark = pytest.mark.slow

NEVER = """
    _pytest asgiref attr faker harfile httpx hypothesis jinja2 jsonpath_rfc9535
    jsonschema numpy openapi_core openapi_spec_validator requests rich schemathesis
    starlette.testclient soundstage.apis.fixture_validation soundstage.tools
    werkzeug yaml
""".split()
"""What serving the vendored documents imports at no start but the first."""

FIRST_START_ONLY = {"faker", "jsonpath_rfc9535", "soundstage.apis.fixture_validation", "yaml"}
"""The first start needs them."""

KEYS = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
RUN = "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f"


def imported(text: str) -> set[str]:
    """The modules that ``-X importtime`` names."""
    return {*re.findall(r"^import time:.*\| +([\w.]+)$", text, re.MULTILINE)}


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def new_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def served_with(tmp_path, *options: str) -> set[str]:
    """The modules that a server has imported after its first response."""
    with running_server(*options, errors=tmp_path / "errors") as server:
        assert httpx.get(f"{server.url}{RUN}", headers=KEYS).status_code == 200
    return imported((tmp_path / "errors").read_text())


def test_help_imports_nothing_that_is_heavy():
    command = (sys.executable, "-X", "importtime", *SOUNDSTAGE[1:], "--help")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    there = imported(done.stderr)
    assert "soundstage.cli.common" in there
    heavy = {*NEVER, *"asyncio connexion importlib.metadata orjson yaml".split()}
    assert not heavy & there


def test_a_command_imports_no_other():
    there = python(
        "import sys\n"
        "from soundstage.cli import main\n"
        "main(['diff', *['specs/runwisp/openapi.yaml'] * 2])\n"
        "print(sorted(n[15:] for n in sys.modules if n.startswith('soundstage.cli.')))"
    ).splitlines()[-1]
    assert there == "['common', 'diff']"


def test_the_second_start_computes_nothing_again(tmp_path, new_cache, monkeypatch):
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    first = served_with(tmp_path)
    assert {name for name in NEVER if name in first} == FIRST_START_ONLY
    second = served_with(tmp_path)
    assert "connexion.middleware" in second
    assert [name for name in NEVER if name in second] == []


def test_a_deferred_import_works_on_first_use():
    assert python(
        "import sys\n"
        "from soundstage.cli.deferred_imports import defer_imports\n"
        "with defer_imports():\n"
        "    import connexion.middleware, uvicorn.server\n"
        "import soundstage.server.app, soundstage.server.uvicorn_server\n"
        "print({'httpx', 'requests'} & {*sys.modules})\n"
        "from connexion import json_schema, security\n"
        "print(security.httpx.Client.__name__, json_schema.requests.get.__name__)\n"
        "import connexion, httpx, requests, uvicorn\n"
        "print(httpx.Client is security.httpx.Client, requests.__file__ is not None)\n"
        "print(connexion.AsyncApp.__name__, connexion.middleware.__name__)\n"
        "print(uvicorn.run.__name__, uvicorn.Server is uvicorn.server.Server)\n"
    ).splitlines() == [
        "set()", "Client get", "True True", "AsyncApp connexion.middleware", "run True",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("use", "name"),
    [
        ("spec.create_spec_validator({})", "jsonschema.validators.extend"),
        ("spec.jinja2.Template('')", "jinja2.Template"),
        ("context.request.headers", "werkzeug.local.LocalProxy"),
        ("json_schema.yaml.load('')", "yaml.load"),
    ],
)
def test_what_was_not_imported_for_connexion_fails_when_it_is_used(use, name):
    assert python(
        "from soundstage.cli.deferred_imports import defer_imports\n"
        "with defer_imports():\n"
        "    import connexion.middleware\n"
        "from connexion import context, json_schema, spec\n"
        f"try: {use}\n"
        "except RuntimeError as error: print(error)\n"
        "import jinja2, jsonschema.exceptions, werkzeug.local, yaml\n"
        "print(jsonschema.exceptions.ValidationError('wrong').message, yaml.load)"
    ).startswith(f"{name} was not imported (soundstage.cli.deferred_imports)\nwrong <function load")


def test_what_was_imported_before_is_not_deferred():
    assert (
        python(
            "import sys, connexion, httpx, jinja2, jsonschema, requests, uvicorn\n"
            "there = [connexion, httpx, jinja2, jsonschema, requests, uvicorn]\n"
            "from soundstage.cli.deferred_imports import defer_imports\n"
            "with defer_imports():\n"
            "    print([sys.modules[m.__name__] is m for m in there])\n"
            "print([sys.modules[m.__name__] is m for m in there])\n"
        ).splitlines()
        == [str([True] * 6)] * 2
    )


def test_nothing_is_deferred_in_other_processes():
    assert python(
        "import sys\n"
        "from soundstage import Soundstage\n"
        "import connexion\n"
        "print('soundstage.cli.deferred_imports' in sys.modules, type(connexion))"
    ) == "False <class 'module'>"  # fmt: skip
