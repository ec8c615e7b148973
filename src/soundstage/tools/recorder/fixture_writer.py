"""Scenarios as YAML text, added to a fixture whose own text stays as it is."""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator

import yaml

from soundstage.tools.recorder import UnusableRecording
from soundstage.types import Json, JsonObject

WIDTH = 118
_PLAIN = re.compile(
    r"[A-Za-z_$][\w$./+-]*( [\w$./+-]+)*"  # words
    r"|\d+(ms|s|m|h|d)"  # a duration
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",  # a UUID
    re.ASCII,
)
_KEYWORDS = frozenset("true false null yes no on off y n".split())
_ESCAPED = re.compile(r"[^ -~\u00a1-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def format_inline(value: Json) -> str:
    """Format a value as YAML on one line.

    >>> format_inline({"after": "1s", "run": {"reason": "yes"}})
    '{after: 1s, run: {reason: "yes"}}'
    """
    if isinstance(value, dict):
        pairs = (f"{format_inline(k)}: {format_inline(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(format_inline, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _KEYWORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\U{ord(match[0]):08x}", quoted)


def format_scenario(name: str, node: JsonObject, comment: Iterable[str] = ()) -> str:
    """Return the text of a scenario, with a comment above it, without indentation."""
    wrapper = textwrap.TextWrapper(WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    lines = [f"# {part}" for line in comment for part in wrapper.wrap(line)] + [f"{name}:"]
    lines += [f"  {key}: {format_inline(v)}" for key, v in node.items() if key != "steps"]
    lines.append("  steps:")
    for step in node["steps"]:
        for i, (key, value) in enumerate(step.items()):
            lines += _format_entry(f"    {' ' if i else '-'} {format_inline(key)}:", value, 8)
    return "\n".join(lines) + "\n"


def _format_entry(head: str, value: Json, indent: int) -> Iterator[str]:
    """Yield a key and its value, on one line if there is room."""
    text, left = format_inline(value), " " * indent
    if len(head) + len(text) < WIDTH or not isinstance(value, dict | list):
        yield f"{head} {text}"
        return
    yield head
    if isinstance(value, list):
        yield from (f"{left}- {format_inline(item)}" for item in value)
    else:
        for key, inner in value.items():
            yield from _format_entry(f"{left}{format_inline(key)}:", inner, indent + 2)


def add_scenario(text: str, name: str, scenario: str) -> str:
    """Return a fixture's text with the text of one scenario more.

    Raises ``UnusableRecording`` if it has the name, or scenarios in flow style.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    section = {key.value: node for key, node in root.value}.get("scenarios") if root else None
    if section is None:
        return f"{text.rstrip()}\n\nscenarios:\n{textwrap.indent(scenario, '  ')}"
    if not isinstance(section, yaml.MappingNode) or section.flow_style:
        raise UnusableRecording(
            f"scenarios are in braces on line {section.start_mark.line + 1}; write "
            "each on lines of its own, so that another can be added"
        )
    if any(key.value == name for key, _ in section.value):
        raise UnusableRecording(f"there is a scenario {name!r} already; see --name")
    lines = text.splitlines(keepends=True)
    end = section.end_mark.line + (section.end_mark.column > 0)
    # Comments and blank lines after the scenarios belong to the next section.
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    before = "".join(lines[:end]).rstrip("\n")
    more = textwrap.indent(scenario, " " * section.start_mark.column)
    return f"{before}\n\n{more}{''.join(lines[end:])}"


def build_fixture(text: str, name: str, scenario: str, history: JsonObject) -> str:
    """Return the fixture with no other history than this entry, if it is not empty.

    The other scenarios stay, as handlers may name them, but are never chosen.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise TypeError("a fixture is a mapping")
    sections = _split_entries(text, root, 0)
    scenarios = {name: textwrap.indent(scenario, "  ")}
    for key, node in root.value:
        if key.value == "scenarios":
            others = _split_entries(text, node, key.end_mark.line + 1)
            scenarios = {n: set_weight_to_zero(other) for n, other in others.items()} | scenarios
    own = scenarios.pop(name)
    sections["scenarios"] = "scenarios:\n" + "\n".join([own, *scenarios.values()])
    sections.pop("history", None)
    if history:
        sections["history"] = f"history:\n  - {format_inline(history)}\n"
    return "\n".join(part.strip("\n") + "\n" for part in sections.values())


def _split_entries(text: str, mapping: yaml.MappingNode, first: int) -> dict[str, str]:
    """Return the text of each entry of a block mapping with the comments above it."""
    lines = text.splitlines()
    starts = []
    for key, _ in mapping.value:
        start = key.start_mark.line
        while start > first and lines[start - 1].lstrip().startswith("#"):
            start -= 1
        starts.append(start)
    ends = [*starts[1:], mapping.end_mark.line]
    return {
        key.value: "\n".join(lines[start:end]).rstrip() + "\n"
        for (key, _), start, end in zip(mapping.value, starts, ends, strict=True)
    }


def set_weight_to_zero(text: str) -> str:
    """Return the text of a scenario that is no longer chosen at random."""
    if re.search(r"^ +weight: ", text, re.MULTILINE):
        return re.sub(r"^( +weight:) .*$", r"\1 0", text, count=1, flags=re.MULTILINE)
    pattern = r"^( *)([^\s#].*)$"
    return re.sub(pattern, r"\1\2\n\1  weight: 0", text.rstrip("\n"), count=1, flags=re.MULTILINE)
