"""``soundstage record``: write a recorded run into a fixture."""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from soundstage import vendored_files
from soundstage.apis.registry import load_api, load_fixture, load_service
from soundstage.openapi.errors import DocumentError
from soundstage.tools.recorder import InvalidScenario
from soundstage.tools.recorder.extraction import read_archive
from soundstage.tools.recorder.fixture_writer import (
    ScenarioText,
    add_scenario,
    build_fixture,
)
from soundstage.tools.recorder.scenario import (
    RecordedScenario,
    RunSelection,
    build_scenario,
)
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """The archive, its API, the name of the scenario, and the fixture to write.

    Without ``to`` (a new file) and ``into`` (a fixture to extend) none is written.
    """

    archive: Path
    api: str
    name: str
    to: Path | None = None
    into: Path | None = None


def record(
    options: RecordOptions, selection: RunSelection
) -> tuple[RecordedScenario, str]:
    """Write the scenario; return it with the text of its fixture.

    Nothing is written that cannot be served. Raises ``InvalidScenario``,
    ``UnusableRecording``, ``UnknownName``, ``DocumentError`` and ``OSError``.
    """
    api = load_api(options.api)
    source = load_fixture(
        options.into or vendored_files.fixtures() / f"{api.name}.yaml"
    )
    if source.document["api"] != api.name:
        raise source.error_at(f"is no fixture of {api.name}", "/api")
    exchanges = read_archive(options.archive)
    service = load_service(api, source)
    recorded = build_scenario(exchanges, service, source.document, selection)
    states = " -> ".join(state for _, state in recorded.states)
    node: JsonObject = {"about": f"As it was recorded: {states}."}
    node |= {"weight": 0} if options.into else {}
    origin = f"Run {recorded.run} as recorded in {options.archive.name}"
    comment = [f"{origin}; it began {format_rfc3339(recorded.began)}."]
    comment += [f"{note[0].upper()}{note[1:]}." for note in recorded.notes]
    scenario = ScenarioText(options.name, {**node, "steps": recorded.steps}, comment)
    text = source.path.read_text("utf-8")
    if options.into:
        text = add_scenario(text, scenario)
    else:
        # A run that the recorded client started begins when a client starts one.
        # Any other begins with the world, under its recorded identifier.
        history = {"task": recorded.task, "scenario": options.name, "ago": "0s"}
        history["id"] = recorded.run
        text = build_fixture(text, scenario, None if recorded.is_started else history)
    if options.to and options.to.exists():
        raise FileExistsError(17, os.strerror(17))
    _save(text, options)
    return recorded, text


def _save(text: str, options: RecordOptions) -> None:
    """Move the text to its place once it has been validated by loading it."""
    target = options.to or options.into
    folder = target.parent if target else None
    with NamedTemporaryFile(
        # In the same folder, since only then replacing the target is atomic.
        "w",
        suffix=".yaml",
        dir=folder,
        delete=False,
        encoding="utf-8",
    ) as file:
        file.write(text)
    path = Path(file.name)
    try:
        load_service(load_api(options.api), load_fixture(path))
        if target:
            path.chmod(options.into.stat().st_mode if options.into else 0o644)
            path.replace(target)
    except DocumentError as error:
        msg = f"the recording makes no fixture that can be served: {error.message}"
        reason = DocumentError(msg, error.pointer, options.archive.name)
        raise InvalidScenario(str(reason)) from error
    finally:
        path.unlink(missing_ok=True)
