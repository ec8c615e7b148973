"""The contract documents: what the vendor says, our words, and our repairs."""

import json
from pathlib import Path

import jsonpath_rfc9535 as jsonpath
import openapi_spec_validator
import pytest
import yaml
from openapi_schema_validator import OAS30Validator, OAS31Validator

from soundstage.openapi.overlay import apply

ROOT = Path(__file__).parents[2]
APIS = ["algolia-ingestion", "runwisp", "trieve", "trigger-dev"]
PROSE = ("description", "summary")
CODE = ("```", "curl ", "import ", "await ", "http://", "https://", "();", "\n")


class Loader(yaml.SafeLoader):
    """YAML in which a date is a string, as it is in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(api, name):
    text = (ROOT / "specs" / api / name).read_text(encoding="utf-8")
    return yaml.load(text, Loader)  # noqa: S506 (Loader is a SafeLoader)


def effective(api):
    return apply(load(api, "openapi.yaml"), load(api, "overlay.yaml"))


def without_prose(node):
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: without_prose(value)
        for name, value in node.items()
        if not (name in PROSE and isinstance(value, str))
    }


def prose(document):
    for name in PROSE:
        for node in jsonpath.find(f"$..{name}", document):
            if isinstance(node.value, str):
                yield node.value


def pointer(location):
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "#/" + "/".join(steps)


def broken_examples(document):
    """Every example that its schema refuses, with where it stands."""
    validator = OAS30Validator if document["openapi"].startswith("3.0") else OAS31Validator
    for node in jsonpath.find("$..[?@.example || @.examples]", document):
        inside = ("schema",) if "schema" in node.value else ()
        judge = validator(
            document | {"$ref": pointer((*node.location, *inside))},
            format_checker=validator.FORMAT_CHECKER,
        )
        values = node.value.get("examples", [node.value.get("example")])
        for value in values:
            for error in judge.iter_errors(value):
                yield f"{pointer(node.location)}: {error.message}"


@pytest.mark.parametrize("api", APIS)
def test_a_document_is_the_vendors_but_for_the_wording(api):
    published = ROOT / "tests" / "data" / "vendor" / f"{api}.json"
    assert without_prose(load(api, "openapi.yaml")) == json.loads(
        published.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("api", APIS)
def test_our_wording_is_short_and_no_code(api):
    for text in prose(load(api, "openapi.yaml")):
        assert len(text) <= 160
        assert not any(sign in text for sign in CODE), text


@pytest.mark.parametrize("api", APIS)
def test_every_action_gives_its_reason(api):
    for action in load(api, "overlay.yaml")["actions"]:
        assert len(action["description"].split()) > 3


@pytest.mark.parametrize("api", APIS)
def test_every_action_finds_its_target_and_changes_it(api):
    overlay, document = load(api, "overlay.yaml"), load(api, "openapi.yaml")
    for action in overlay["actions"]:
        assert jsonpath.find(action["target"], document), action
        changed = apply(document, overlay | {"actions": [action]})
        assert changed != document, action
        document = changed


@pytest.mark.parametrize("api", APIS)
def test_an_effective_contract_is_valid_openapi(api):
    openapi_spec_validator.validate(effective(api))


@pytest.mark.parametrize("api", APIS)
def test_an_example_satisfies_its_schema(api):
    assert list(broken_examples(effective(api))) == []


def test_a_broken_example_is_noticed():
    assert list(broken_examples(load("trieve", "openapi.yaml")))
