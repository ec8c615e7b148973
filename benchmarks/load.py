"""Load by wrk from another core, and the CPU time of the server."""

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
    """One run of wrk: requests/s, 99th percentile in ms, CPU in us per request."""

    rate: float
    p99: float
    cpu: float


def run_load(process: Process, case: Case, connections: int, seconds: int) -> Load:
    """Repeat one request. Raises ``RuntimeError`` on an unexpected status."""
    process.truncate_output()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_build_script(case))
        script.flush()
        before = process.get_cpu_seconds()
        output = _run_wrk(process.url + case.target, script.name, connections, seconds)
        used = process.get_cpu_seconds() - before
    process.wait_until_idle()
    requests = int(re.search(r"(\d+) requests in", output)[1]) or 1
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors = re.search(r"Socket errors: (.*)", output)
    refused = int(wrong[1]) if wrong else 0
    if errors or refused != (0 if case.status == 200 else requests):
        raise RuntimeError(f"{process.name}, {case.name}: {output}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
    return Load(rate, float(value) * UNITS[unit], used / requests * 1e6)


def _run_wrk(url: str, script: str, connections: int, seconds: int) -> str:
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


def _build_script(case: Case) -> str:
    lines = [f"wrk.method = {json.dumps(case.method)}"]
    lines += [
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}"
        for name, value in case.headers.items()
    ]
    if case.body:
        lines.append(f"wrk.body = {json.dumps(case.body)}")
    return "\n".join(lines)


def require_tools() -> None:
    """Exit with advice if a tool is missing."""
    for tool in ("wrk", "taskset"):
        if subprocess.run(["which", tool], capture_output=True, check=False).returncode:
            package = {"wrk": "wrk", "taskset": "util-linux"}[tool]
            raise SystemExit(f"benchmarks: {tool} is missing; apt-get install {package}")


def write_recorded_responses(folder: Path, responses: list[dict]) -> Path:
    """Write the responses for the floors."""
    path = folder / "responses.json"
    path.write_text(json.dumps(responses))
    return path
