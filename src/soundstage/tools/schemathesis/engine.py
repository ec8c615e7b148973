"""Run schemathesis in a child process and read its events."""

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
from soundstage.types import JsonObject

EVENT_PREFIX = "soundstage:"
"""Prefix of event lines on standard error; the rest of a line is JSON."""

DOCUMENT_FILE = "openapi.json"
"""File name of the original document, in the work folder."""

PREPARED_DOCUMENT_FILE = "sent.json"
"""File name of the document that schemathesis reads."""


CONNECT_TIMEOUT_S = 10.0

_DEFAULT_PORTS = {"http": 80, "https": 443}


class SchemathesisNotInstalled(Exception):
    """schemathesis is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "this needs schemathesis, which is not installed: pip install 'soundstage[fuzz]'"
        )


class SchemathesisFailed(Exception):
    """schemathesis failed; the message is its own output."""


def require_schemathesis() -> None:
    """Raise ``SchemathesisNotInstalled`` if schemathesis cannot be imported."""
    # Importing schemathesis takes about a second; finding it does not.
    if find_spec("schemathesis") is None:
        raise SchemathesisNotInstalled


def check_reachable(url: str) -> None:
    """Raise ``SchemathesisFailed`` if no server listens there."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise SchemathesisFailed(f"{url} is not an http or https URL")
    try:
        address = (parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])
        socket.create_connection(address, timeout=CONNECT_TIMEOUT_S).close()
    except (OSError, ValueError) as error:  # ValueError: invalid port
        raise SchemathesisFailed(f"cannot connect to {url}: {error}") from error


def run_campaign(campaign: Campaign) -> Iterator[JsonObject]:
    """Run a campaign and yield the events of ``hooks``.

    Closing the iterator ends the process. Crash files, one for each failure, are copied
    to ``report_dir``. Raises ``SchemathesisNotInstalled`` and ``SchemathesisFailed``.
    """
    require_schemathesis()
    with _create_work_folder(campaign) as folder:
        arguments = campaign.build_arguments(folder / PREPARED_DOCUMENT_FILE)
        yield from _read_events(campaign, folder, arguments)
        crashes = folder / "cache" / "crashes"
        if campaign.report_dir and crashes.is_dir():
            failures = campaign.report_dir / "failures"
            shutil.copytree(crashes, failures, dirs_exist_ok=True)


def replay_failure(campaign: Campaign, crash_file: Path) -> tuple[int, str]:
    """Send the requests of a crash file again; return exit code and output."""
    require_schemathesis()
    campaign = replace(campaign, workers=0)  # no reset between the requests
    with _create_work_folder(campaign) as folder:
        arguments = ["replay", "--keep", "--url", campaign.url, "--schema-location"]
        arguments += [str(folder / PREPARED_DOCUMENT_FILE), str(crash_file)]
        with _start_process(campaign, folder, arguments) as running:
            _, error_output = running.process.communicate()
        output = running.read_output()
    return running.process.returncode, output + error_output


@contextmanager
def _create_work_folder(campaign: Campaign) -> Iterator[Path]:
    with TemporaryDirectory(prefix="soundstage-") as name:
        folder = Path(name)
        documents = {
            DOCUMENT_FILE: campaign.document,
            PREPARED_DOCUMENT_FILE: prepare_document(campaign),
        }
        for file, document in documents.items():
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

    def read_output(self) -> str:
        return self.output_file.read_text(encoding="utf-8", errors="replace")

    def interrupt(self) -> None:
        """Send SIGINT, like Ctrl-C: schemathesis still reports its results."""
        # Before the document is loaded, an interrupt would end it without a report.
        self.loaded.wait()
        self.interrupted.set()
        self.process.send_signal(signal.SIGINT)


@contextmanager
def _start_process(
    campaign: Campaign, folder: Path, arguments: list[str]
) -> Iterator[_SchemathesisProcess]:
    """Start schemathesis; all files that it writes are in the folder."""
    config = str(folder / "schemathesis.toml")
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    command += ["--config-file", config, *arguments]
    # Hypothesis writes to the current folder by default.
    home = {"HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
    # The child must import the same package, also from a source tree.
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    # A file, because a full pipe that is not read would block the process.
    output_file = folder / "output.txt"
    with output_file.open("w", encoding="utf-8") as out:
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
        running = _SchemathesisProcess(process, output_file)
        # With its own --max-time, schemathesis always uses up the time.
        timer = threading.Timer(campaign.max_time or 0, running.interrupt)
        if campaign.max_time is not None:
            timer.start()
        try:
            yield running
        finally:
            timer.cancel()
            # Release a timer thread that waits for the load.
            running.loaded.set()
            if process.poll() is None:
                process.terminate()
                process.wait()
            if process.stderr:
                process.stderr.close()


def _read_events(campaign: Campaign, folder: Path, arguments: list[str]) -> Iterator[JsonObject]:
    error_output: list[str] = []
    reason = ""
    with _start_process(campaign, folder, arguments) as running:
        for line in running.process.stderr or ():
            if line.startswith(EVENT_PREFIX):
                event = json.loads(line.removeprefix(EVENT_PREFIX))
                running.loaded.set()
                reason = event.get("reason", reason)
                yield event
            else:
                error_output.append(line)
        running.process.wait()
    if not reason and not running.interrupted.is_set():
        # Logs can precede the message.
        output = running.read_output() + "".join(error_output)
        raise SchemathesisFailed(output[max(output.rfind("Error: "), 0) :].strip())
    if not reason:
        yield {"event": "finished", "reason": "interrupted"}
