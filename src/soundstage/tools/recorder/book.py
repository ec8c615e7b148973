"""``soundstage record``: an archive is read, a fixture written if it can be served."""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from soundstage import vendored_files
from soundstage.apis.registry import load_api, load_fixture, load_service
from soundstage.openapi.errors import DocumentError
from soundstage.tools.recorder.archive import Unservable, read_archive
from soundstage.tools.recorder.retell import Retold, Wish, heading, retell
from soundstage.tools.recorder.whole import fixture_text
from soundstage.tools.recorder.writing import Written, added


@dataclass(frozen=True, slots=True)
class Plan:
    """From which archive, for which API, under which name, and where to."""

    archive: Path
    api: str
    name: str
    to: Path | None = None
    into: Path | None = None


def write(plan: Plan, wish: Wish) -> tuple[Retold, str]:
    """Write the scenario where it is to be; gives its run, and the fixture's text.

    Nothing is written that cannot be served. Raises ``Unservable``, ``Unusable``,
    ``Unknown``, ``DocumentError`` and ``OSError``.
    """
    module = load_api(plan.api)
    vendored = vendored_files.fixtures() / f"{module.name}.yaml"
    source = load_fixture(plan.into or vendored)
    if source.document["api"] != module.name:
        raise source.error(f"is no fixture of {module.name}", "/api")
    heard = read_archive(plan.archive)
    retold = retell(heard, load_service(module, source), source.document, wish)
    written = Written(
        plan.name,
        {
            "about": f"As it was recorded: {' -> '.join(s for _, s in retold.states)}.",
            **({"weight": 0} if plan.into else {}),
            "steps": retold.steps,
        },
        heading(retold, plan.archive.name),
    )
    text = source.path.read_text("utf-8")
    text = added(text, written) if plan.into else fixture_text(text, written, retold)
    target = plan.to or plan.into
    if plan.to and plan.to.exists():
        raise FileExistsError(17, os.strerror(17))
    _keep(text, target, plan)
    return retold, text


def _keep(text: str, target: Path | None, plan: Plan) -> None:
    """Put the text where it is to be, once it has shown that it can be served."""
    folder = target.parent if target else None
    with NamedTemporaryFile(
        "w", suffix=".yaml", dir=folder, delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    path = Path(file.name)
    try:
        load_service(load_api(plan.api), load_fixture(path))
        if target:
            if plan.into:
                path.chmod(plan.into.stat().st_mode)
            else:
                path.chmod(0o644)
            path.replace(target)
    except DocumentError as error:
        msg = f"the recording makes no fixture that can be served: {error.message}"
        reason = DocumentError(msg, error.pointer, plan.archive.name)
        raise Unservable(str(reason)) from error
    finally:
        path.unlink(missing_ok=True)
