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

from soundstage.testing.campaign.campaign import Campaign, as_sent
from soundstage.types import Document

MARK = "soundstage:"
"""What its lines to us begin with, on standard error."""

DOCUMENT = "openapi.json"
"""The document's file, in the folder of the process."""

SENT = "sent.json"
"""The document as schemathesis is given it."""


class Missing(Exception):
    """schemathesis is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "this needs schemathesis, which is not installed: "
            "pip install 'soundstage[fuzz]'"
        )


class Stopped(Exception):
    """schemathesis could not do what it was told to; the message is its own."""


def require() -> None:
    """Raise ``Missing`` if schemathesis is not there."""
    if find_spec("schemathesis") is None:
        raise Missing


def reach(url: str) -> None:
    """Raise ``Stopped`` if nobody listens there; a campaign would try for long."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Stopped(f"{url} is no http or https URL")
    try:
        place = (parts.hostname, parts.port or _PORTS[parts.scheme])
        socket.create_connection(place, timeout=PATIENCE).close()
    except (OSError, ValueError) as error:  # a port that is none
        raise Stopped(f"there is no server at {url}: {error}") from error


_PORTS = {"http": 80, "https": 443}

PATIENCE = 10.0
"""Seconds that a connection may take."""


def events(campaign: Campaign) -> Iterator[Document]:
    """What happens, as ``inside`` tells it; the process is ended with the iterator.

    Crash files, one for each failure, are left in ``report_dir``. Raises ``Missing``
    and ``Stopped``.
    """
    require()
    with _folder(campaign) as folder:
        words = campaign.words(folder / SENT)
        yield from _told(campaign, folder, words)
        crashes = folder / "cache" / "crashes"
        if campaign.report_dir and crashes.is_dir():
            kept = campaign.report_dir / "failures"
            shutil.copytree(crashes, kept, dirs_exist_ok=True)


def replayed(campaign: Campaign, crash: Path) -> tuple[int, str]:
    """Send again what failed: how schemathesis ended, and what it said."""
    require()
    campaign = replace(campaign, workers=0)  # nothing begins afresh on the way
    with _folder(campaign) as folder:
        words = ["replay", "--keep", "--url", campaign.url]
        words += ["--schema-location", str(folder / SENT), str(crash)]
        with _started(campaign, folder, words) as running:
            _, noise = running.process.communicate()
        text = running.said.read_text(encoding="utf-8", errors="replace")
    return running.process.returncode, text + noise


@contextmanager
def _folder(campaign: Campaign) -> Iterator[Path]:
    with TemporaryDirectory(prefix="soundstage-") as name:
        folder = Path(name)
        both = (DOCUMENT, campaign.document), (SENT, as_sent(campaign))
        for file, document in both:
            (folder / file).write_text(json.dumps(document), encoding="utf-8")
        config = campaign.config(folder / "cache")
        (folder / "schemathesis.toml").write_text(config, encoding="utf-8")
        yield folder


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[str]
    said: Path
    loaded: threading.Event = field(default_factory=threading.Event)
    interrupted: threading.Event = field(default_factory=threading.Event)

    def interrupt(self) -> None:
        """As Ctrl-C does: what was found so far is still told, once it can be."""
        self.loaded.wait()
        self.interrupted.set()
        self.process.send_signal(signal.SIGINT)


@contextmanager
def _started(campaign: Campaign, folder: Path, words: list[str]) -> Iterator[_Running]:
    """The process; all that it leaves behind is left in the folder."""
    config = str(folder / "schemathesis.toml")
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    command += ["--config-file", config, *words]
    home = {"HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    said = folder / "said"
    with said.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command,
            cwd=folder,
            env={**os.environ, **home, **paths, **campaign.environment()},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        running = _Running(process, said)
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


def _told(campaign: Campaign, folder: Path, words: list[str]) -> Iterator[Document]:
    noise: list[str] = []
    reason = ""
    with _started(campaign, folder, words) as running:
        for line in running.process.stderr or ():
            if line.startswith(MARK):
                event = json.loads(line.removeprefix(MARK))
                running.loaded.set()
                reason = event.get("reason", reason)
                yield event
            else:
                noise.append(line)
        running.process.wait()
    if not reason and not running.interrupted.is_set():
        said = running.said.read_text(encoding="utf-8", errors="replace")
        said += "".join(noise)
        raise Stopped(said[max(said.rfind("Error: "), 0) :].strip())
    if not reason:
        yield {"event": "finished", "reason": "interrupted"}
