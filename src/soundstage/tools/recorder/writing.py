"""Scenarios as people write them: YAML, into a fixture whose text stays as it is."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from soundstage.tools.recorder.archive import Unusable
from soundstage.types import Document, Json

WIDTH = 120

_PLAIN = re.compile(
    r"[A-Za-z_$][\w$./+-]*( [\w$./+-]+)*"  # words
    r"|\d+(ms|s|m|h|d)"  # a span
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",  # a UUID
    re.ASCII,
)
"""Texts that need no quotes."""

_TOKENS = frozenset("true false null yes no on off y n".split())
_NOT_RAW = re.compile(
    r"[^ -~\u00a1-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A scenario to be written: its name, its node, the lines of its comment."""

    name: str
    node: Document
    comment: Sequence[str]


def inline(value: Json) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        inner = (f"{inline(name)}: {inline(item)}" for name, item in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _TOKENS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _NOT_RAW.sub(lambda match: f"\\U{ord(match[0]):08x}", quoted)


def scenario_lines(written: Written, indent: int) -> Iterator[str]:
    """The lines of a scenario, its name so far from the left."""
    left, deeper = " " * indent, " " * (indent + 2)
    for line in written.comment:
        yield from (f"{left}# {part}" for part in _wrapped(line, WIDTH - indent - 2))
    yield f"{left}{written.name}:"
    for key, value in written.node.items():
        if key != "steps":
            yield f"{deeper}{key}: {inline(value)}"
    yield f"{deeper}steps:"
    for step in written.node["steps"]:
        mark = "- "
        for key, value in step.items():
            yield from _entry(f"{deeper}  {mark}{inline(key)}:", value, indent + 8)
            mark = "  "


def _entry(head: str, value: Json, indent: int) -> Iterator[str]:
    """A key and its value, on one line if there is room."""
    text = inline(value)
    left = " " * indent
    if len(head) + len(text) < WIDTH or not isinstance(value, dict | list):
        yield f"{head} {text}"
    elif isinstance(value, list):
        yield head
        yield from (f"{left}- {inline(item)}" for item in value)
    else:
        yield head
        for key, inner in value.items():
            yield from _entry(f"{left}{inline(key)}:", inner, indent + 2)


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


def added(text: str, written: Written) -> str:
    """A fixture's text with one scenario more, and all else as it was.

    Raises ``Unusable`` if there is no room for it.
    """
    section = _section(text, "scenarios")
    if section is None:
        block = "\n".join(scenario_lines(written, 2))
        return f"{text.rstrip()}\n\nscenarios:\n{block}\n"
    if not isinstance(section, yaml.MappingNode) or section.flow_style:
        raise Unusable(
            f"scenarios stand on line {section.start_mark.line + 1} in braces; write "
            "them one below the other, so that another can be added"
        )
    if any(key.value == written.name for key, _ in section.value):
        raise Unusable(f"there is a scenario {written.name!r} already; see --name")
    lines = text.splitlines()
    end = _last_line(lines, section.end_mark) + 1
    more = scenario_lines(written, section.start_mark.column)
    return "\n".join([*lines[:end], "", *more, *lines[end:]]) + "\n"


def _section(text: str, name: str) -> yaml.Node | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, value in root.value if root else ():
        if key.value == name:
            found: yaml.Node = value
            return found
    return None


def _last_line(lines: list[str], mark: yaml.Mark) -> int:
    """The last line with anything of a node: blank ones and comments follow it."""
    at: int = mark.line if mark.column else mark.line - 1
    while not lines[at].strip() or lines[at].lstrip().startswith("#"):
        at -= 1
    return at
