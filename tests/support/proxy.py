"""The proxy for tests: in a process of its own, or in a thread of the test."""

import asyncio
import json
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from soundstage.exchange.har import HarFile
from soundstage.server.uvicorn_server import format_url, open_listener
from soundstage.tools.proxy.console import ProxyConsole
from soundstage.tools.proxy.contract_router import ContractRouter
from soundstage.tools.proxy.control import ProxyControlApp
from soundstage.tools.proxy.process import ProxyServer
from soundstage.tools.proxy.reverse_proxy import ProxyPolicy, ReverseProxy
from soundstage.tools.proxy.traffic_log import TrafficLog
from soundstage.tools.proxy.upstream import Upstream
from support.server import SOUNDSTAGE, next_line


@dataclass
class ProxyThread:
    """A proxy in a thread of the test; ``line`` returns its output for an exchange."""

    url: str
    notes: TrafficLog
    printed: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def line(self) -> dict:
        return json.loads(self.printed.get(timeout=20))

    def write(self, text: str) -> None:
        self.printed.put(text)

    def flush(self) -> None:
        pass


@contextmanager
def proxy_thread(
    url: str,
    terms: ContractRouter,
    *,
    timeout: float = 20,
    tape: Path | None = None,
    keep_secrets: bool = False,
    **policy: bool,
) -> Iterator[ProxyThread]:
    """A proxy before this URL."""
    upstream = Upstream(url, timeout)
    listener = open_listener("127.0.0.1", 0)
    proxy = ProxyThread(format_url(listener), None)
    recorder = HarFile(tape) if tape else None
    lines = ProxyConsole(proxy, json=True)
    proxy.notes = TrafficLog(terms, upstream.base_url, lines, recorder, keep_secrets=keep_secrets)
    desk = ProxyControlApp(proxy.notes.journal, terms.contract)
    relay = ReverseProxy(terms, upstream, ProxyPolicy(**policy), proxy.notes, desk)
    server = ProxyServer(relay, upstream)
    serving = threading.Thread(
        target=asyncio.run, args=(server.serve(sockets=[listener]),), daemon=True
    )
    serving.start()
    try:
        yield proxy
    finally:
        server.should_exit = True
        serving.join(20)
        if recorder:
            recorder.close()


@dataclass
class ProxyProcess:
    """A proxy that listens; once it has ended, its exit code and its summary too."""

    url: str
    greeting: dict
    output: IO[str]
    process: subprocess.Popen[str]
    code: int | None = None
    errors: str = ""
    summary: dict = field(default_factory=dict)

    def line(self) -> dict:
        """Return the output for the next exchange."""
        return json.loads(next_line(self.output))

    def end(self, how: int = signal.SIGINT) -> None:
        """Interrupt it, and read the rest of its output."""
        self.process.send_signal(how)
        self.errors = self.process.communicate(timeout=20)[1]
        self.code = self.process.returncode
        rest = self.output.read().splitlines()
        self.summary = json.loads(rest[-1])["summary"] if rest else {}


@contextmanager
def proxy_process(url: str, *options: str) -> Iterator[ProxyProcess]:
    """Start a proxy in front of this URL; interrupt it at the end, if necessary."""
    command = [*SOUNDSTAGE, "proxy", url, "--port", "0", "--json", *options]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "output"
        with path.open("w") as written, path.open() as output:
            process = subprocess.Popen(command, stdout=written, stderr=subprocess.PIPE, text=True)
            try:
                greeting = json.loads(next_line(output))
                proxy = ProxyProcess(greeting["url"], greeting, output, process)
                yield proxy
                if proxy.code is None:
                    proxy.end()
            finally:
                process.kill()
                process.communicate(timeout=10)
