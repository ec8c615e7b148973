"""Load by wrk from another core, and what it cost the server."""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.process import CLIENT, Process

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Load:
    """One run of wrk: requests a second, ms of the 99th percentile, us of CPU each."""

    rate: float
    p99: float
    cpu: float


def load(process: Process, case: Case, connections: int, seconds: int) -> Load:
    """Ask for one case over and over. Raises ``RuntimeError`` on another status."""
    process.clear()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script(case))
        script.flush()
        before = process.cpu()
        said = _wrk(process.url + case.target, script.name, connections, seconds)
        used = process.cpu() - before
    process.rest()
    requests = int(re.search(r"(\d+) requests in", said)[1]) or 1
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    errors = re.search(r"Socket errors: (.*)", said)
    refused = int(wrong[1]) if wrong else 0
    if errors or refused != (0 if case.status == 200 else requests):
        raise RuntimeError(f"{process.name}, {case.name}: {said}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    return Load(rate, float(value) * UNITS[unit], used / requests * 1e6)


def _wrk(url: str, script: str, connections: int, seconds: int) -> str:
    words = ["wrk", "--latency", "-t", "1", "-c", str(connections)]
    done = subprocess.run(
        ["taskset", "-c", str(CLIENT), *words, "-d", f"{seconds}s", "-s", script, url],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr + done.stdout)
    return done.stdout


def _script(case: Case) -> str:
    lines = [f"wrk.method = {json.dumps(case.method)}"]
    lines += [
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}"
        for name, value in case.headers.items()
    ]
    if case.body:
        lines.append(f"wrk.body = {json.dumps(case.body)}")
    return "\n".join(lines)


def require() -> None:
    """End with what to do, if wrk is not there."""
    for tool in ("wrk", "taskset"):
        if subprocess.run(["which", tool], capture_output=True, check=False).returncode:
            package = {"wrk": "wrk", "taskset": "util-linux"}[tool]
            raise SystemExit(
                f"benchmarks: there is no {tool}; apt-get install {package}"
            )


def recorded_to(folder: Path, answers: list[dict]) -> Path:
    """Keep what the floors have to answer."""
    path = folder / "answers.json"
    path.write_text(json.dumps(answers))
    return path
