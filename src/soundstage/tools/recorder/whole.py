"""A fixture of its own for a run that was recorded.

It has what the API's own fixture has but for the history. A run that the recorded
client has started begins when a client starts one; any other begins with the world,
under the identifier that it was recorded with.
"""

import re
from collections.abc import Iterator

import yaml

from soundstage.tools.recorder.retell import Retold
from soundstage.tools.recorder.writing import Written, inline, scenario_lines

_WEIGHT = re.compile(r"^( +)weight: .*\n", re.MULTILINE)


def fixture_text(text: str, written: Written, retold: Retold) -> str:
    """The text of the fixture, made of the API's own.

    Its scenarios are kept, as handlers may name them, and are chosen by name only.
    """
    scenarios = dict(_scenarios(text))
    scenarios.pop(written.name, None)
    own = "".join(f"{line}\n" for line in scenario_lines(written, 2))
    kept = map(_unweighted, scenarios.values())
    sections = dict(_sections(text))
    sections["scenarios"] = "\n".join([f"scenarios:\n{own}", *kept])
    sections.pop("history", None)
    if not retold.is_started:
        past = {"task": retold.task, "scenario": written.name, "ago": "0s"}
        sections["history"] = f"history:\n  - {inline({**past, 'id': retold.run})}\n"
    return "\n".join(part.strip("\n") + "\n" for part in sections.values())


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """The top-level keys, each with its text, the comment above it included."""
    yield from _pieces(text, _root(text), 0)


def _scenarios(text: str) -> Iterator[tuple[str, str]]:
    for key, value in _root(text).value:
        if key.value == "scenarios":
            yield from _pieces(text, value, key.end_mark.line + 1)


def _root(text: str) -> yaml.MappingNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise TypeError("a fixture is a mapping")
    return root


def _pieces(
    text: str, mapping: yaml.MappingNode, first: int
) -> Iterator[tuple[str, str]]:
    """The entries of a block mapping, each with the comments above it."""
    lines = text.splitlines()
    starts = []
    for key, _ in mapping.value:
        at = key.start_mark.line
        while at > first and lines[at - 1].lstrip().startswith("#"):
            at -= 1
        starts.append(at)
    ends = [*starts[1:], _end(lines, mapping)]
    for (key, _), start, end in zip(mapping.value, starts, ends, strict=True):
        yield key.value, "\n".join(lines[start:end]).rstrip() + "\n"


def _end(lines: list[str], mapping: yaml.MappingNode) -> int:
    mark = mapping.end_mark
    return min(len(lines), mark.line)


def _unweighted(text: str) -> str:
    """A scenario that nothing chooses by chance."""
    if _WEIGHT.search(text):
        return _WEIGHT.sub(r"\1weight: 0\n", text, count=1)
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
    indent = len(lines[at]) - len(lines[at].lstrip()) + 2
    return "\n".join([*lines[: at + 1], f"{' ' * indent}weight: 0", *lines[at + 1 :]])
