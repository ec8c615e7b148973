"""Report section of a failed test: the state of its world and how to replay it."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from soundstage.exchange.expectations import MAX_LISTED, format_entry
from soundstage.pytest_plugin.handle import Soundstage
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339


def describe_failure(handle: Soundstage, path: Path) -> str:
    """Export the world to ``path`` and describe it.

    The lines have the seed and the clock, the commands, the last exchanges and
    violations, and the command that serves the world again.
    """
    exported = handle.export()
    pace = f"{exported['speed']:g}x the wall" if exported["speed"] else "frozen"
    lines = [
        f"seed {exported['seed']}, now {format_rfc3339(exported['now'])}, {pace}",
        *map(_format_command, _merge_advances(exported["log"])),
        *map(format_entry, handle.journal[-MAX_LISTED:]),
        *(f"violation: {found}" for found in handle.violations[-MAX_LISTED:]),
        _export_world(handle, exported, path),
    ]
    return "\n".join(lines)


def _export_world(handle: Soundstage, exported: JsonObject, path: Path) -> str:
    try:
        path.write_text(json.dumps(exported, default=str) + "\n", encoding="utf-8")
    except OSError as error:
        return f"it could not be written to {path}: {error.strerror}"
    return f"replay: {build_serve_command(handle, path)}"


def build_serve_command(handle: Soundstage, path: Path) -> str:
    """Build the command line that serves an exported world."""
    words = ["soundstage", "serve", "--log", str(path)]
    for api in handle.apis:
        words += ["--api", api]
    for fixture in handle.fixtures:
        words += ["--fixture", str(fixture)]
    return shlex.join(words)


def _merge_advances(log: list[JsonObject]) -> Iterator[JsonObject]:
    """Merge consecutive advances, as a test that polls makes hundreds of them."""
    last: JsonObject | None = None
    for entry in log:
        if last and last["command"] == entry["command"] == "advance":
            last = {**last, "span": last["span"] + entry["span"]}
            continue
        if last:
            yield last
        last = entry
    if last:
        yield last


def _format_command(entry: JsonObject) -> str:
    fields = {key: value for key, value in entry.items() if value not in (None, {})}
    fields["at"] = format_rfc3339(entry["at"])
    return json.dumps(fields, separators=(",", ":"), default=str)
