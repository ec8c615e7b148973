"""schemathesis, in a process of its own: what it says as it goes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from soundstage.tools.schemathesis.campaign import Campaign, prepare_document
from soundstage.types import Document

EVENT_PREFIX = "soundstage:"
"""What its lines to us begin with, on standard error."""

DOCUMENT_FILE = "openapi.json"
"""The document's file, in the folder of the process."""

PREPARED_DOCUMENT_FILE = "sent.json"
"""The document as schemathesis is given it."""


class SchemathesisNotInstalled(Exception):
    """schemathesis is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "this needs schemathesis, which is not installed: "
            "pip install 'soundstage[fuzz]'"
        )


class SchemathesisFailed(Exception):
    """schemathesis could not do what it was told to; the message is its own."""


def require_schemathesis() -> None:
    """Raise ``Missing`` if schemathesis is not there."""
    if find_spec("schemathesis") is None:
        raise SchemathesisNotInstalled


def check_reachable(url: str) -> None:
    """Raise ``Stopped`` if nobody listens there; a campaign would try for long."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise SchemathesisFailed(f"{url} is no http or https URL")
    try:
        place = (parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])
        socket.create_connection(place, timeout=CONNECT_TIMEOUT_S).close()
    except (OSError, ValueError) as error:  # a port that is none
        raise SchemathesisFailed(f"there is no server at {url}: {error}") from error


_DEFAULT_PORTS = {"http": 80, "https": 443}

CONNECT_TIMEOUT_S = 10.0
"""Seconds that a connection may take."""


def run_campaign(campaign: Campaign) -> Iterator[Document]:
    """What happens, as ``inside`` tells it; the process is ended with the iterator.

    Crash files, one for each failure, are left in ``report_dir``. Raises ``Missing``
    and ``Stopped``.
    """
    require_schemathesis()
    with _create_work_folder(campaign) as folder:
        words = campaign.build_arguments(folder / PREPARED_DOCUMENT_FILE)
        yield from _read_events(campaign, folder, words)
        crashes = folder / "cache" / "crashes"
        if campaign.report_dir and crashes.is_dir():
            kept = campaign.report_dir / "failures"
            shutil.copytree(crashes, kept, dirs_exist_ok=True)


def replay_failure(campaign: Campaign, crash_file: Path) -> tuple[int, str]:
    """Send again what failed: how schemathesis ended, and what it said."""
    require_schemathesis()
    campaign = replace(campaign, workers=0)  # nothing begins afresh on the way
    with _create_work_folder(campaign) as folder:
        words = ["replay", "--keep", "--url", campaign.url]
        words += [
            "--schema-location",
            str(folder / PREPARED_DOCUMENT_FILE),
            str(crash_file),
        ]
        with _start_process(campaign, folder, words) as running:
            _, noise = running.process.communicate()
        text = running.output_file.read_text(encoding="utf-8", errors="replace")
    return running.process.returncode, text + noise


@contextmanager
def _create_work_folder(campaign: Campaign) -> Iterator[Path]:
    with TemporaryDirectory(prefix="soundstage-") as name:
        folder = Path(name)
        both = (
            (DOCUMENT_FILE, campaign.document),
            (PREPARED_DOCUMENT_FILE, prepare_document(campaign)),
        )
        for file, document in both:
            (folder / file).write_text(json.dumps(document), encoding="utf-8")
        config = campaign.build_config(folder / "cache")
        (folder / "schemathesis.toml").write_text(config, encoding="utf-8")
        yield folder


@dataclass(frozen=True, slots=True)
class _SchemathesisProcess:
    process: subprocess.Popen[str]
    output_file: Path
    loaded: threading.Event = field(default_factory=threading.Event)
    interrupted: threading.Event = field(default_factory=threading.Event)

    def interrupt(self) -> None:
        """As Ctrl-C does: what was found so far is still told, once it can be."""
        self.loaded.wait()
        self.interrupted.set()
        self.process.send_signal(signal.SIGINT)


@contextmanager
def _start_process(
    campaign: Campaign, folder: Path, arguments: list[str]
) -> Iterator[_SchemathesisProcess]:
    """The process; all that it leaves behind is left in the folder."""
    config = str(folder / "schemathesis.toml")
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    command += ["--config-file", config, *arguments]
    home = {"HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    said = folder / "said"
    with said.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command,
            cwd=folder,
            env={**os.environ, **home, **paths, **campaign.build_environment()},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        running = _SchemathesisProcess(process, said)
        # schemathesis's own --max-time would go on until all of it is spent.
        bound = threading.Timer(campaign.max_time or 0, running.interrupt)
        if campaign.max_time is not None:
            bound.start()
        try:
            yield running
        finally:
            bound.cancel()
            running.loaded.set()
            if process.poll() is None:
                process.terminate()
                process.wait()
            if process.stderr:
                process.stderr.close()


def _read_events(
    campaign: Campaign, folder: Path, arguments: list[str]
) -> Iterator[Document]:
    noise: list[str] = []
    reason = ""
    with _start_process(campaign, folder, arguments) as running:
        for line in running.process.stderr or ():
            if line.startswith(EVENT_PREFIX):
                event = json.loads(line.removeprefix(EVENT_PREFIX))
                running.loaded.set()
                reason = event.get("reason", reason)
                yield event
            else:
                noise.append(line)
        running.process.wait()
    if not reason and not running.interrupted.is_set():
        said = running.output_file.read_text(encoding="utf-8", errors="replace")
        said += "".join(noise)
        raise SchemathesisFailed(said[max(said.rfind("Error: "), 0) :].strip())
    if not reason:
        yield {"event": "finished", "reason": "interrupted"}
