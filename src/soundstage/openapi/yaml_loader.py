"""A YAML loader for JSON documents; imported only when a text must be parsed."""

import re

import yaml

from soundstage.types import JsonObject

_Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_Base):  # type: ignore[misc,valid-type]  # chosen at run time
    """Loads YAML as JSON: dates are texts, and keys are unique texts."""


# The types of plain scalars are those of YAML 1.2's core schema, which OpenAPI
# requires. PyYAML implements 1.1, where "on" is true, 010 is 8 and dates are no texts.
Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


def _construct_int(_loader: Loader, node: yaml.ScalarNode) -> int:
    return int(node.value, 0 if node.value[:2] in {"0o", "0x"} else 10)


Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def _construct_mapping(loader: Loader, node: yaml.MappingNode) -> JsonObject:
    result: JsonObject = {}
    for key_node, value_node in node.value:
        # As it is written, not as it is typed: a response 200, a method "on".
        key = str(key_node.value)
        if key == "<<":
            raise _error_at(key_node, "merge keys (<<) are not JSON")
        if key in result:
            raise _error_at(key_node, f"the key {key!r} is repeated")
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _error_at(node: yaml.Node, message: str) -> Exception:
    error: Exception = yaml.constructor.ConstructorError(None, None, message, node.start_mark)
    return error


Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
