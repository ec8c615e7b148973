"""YAML as JSON has it; imported when there is something to read that nobody knows."""

import re

import yaml

from soundstage.types import JsonObject

_Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_Base):  # type: ignore[misc,valid-type]  # chosen at run time
    """YAML as JSON has it: dates stay text, and a key stands once."""


# What a plain text may stand for: YAML 1.2's core schema, as OpenAPI asks for it.
# PyYAML knows 1.1, where "on" is true, 010 is 8, and a date is no text.
Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
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
        key = str(key_node.value)  # as it is written: a response 200, a method "on"
        if key == "<<":
            msg = "merge keys (<<) are not JSON"
            raise yaml.constructor.ConstructorError(
                None, None, msg, key_node.start_mark
            )
        if key in result:
            msg = f"the key {key!r} stands here twice"
            raise yaml.constructor.ConstructorError(
                None, None, msg, key_node.start_mark
            )
        result[key] = loader.construct_object(value_node, deep=True)
    return result


Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
