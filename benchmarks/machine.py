"""The machine and the versions of a run."""

import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    "soundstage",
    "connexion",
    "jsonschema-rs",
    "orjson",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
)


def describe_machine() -> dict[str, str]:
    """Return processor, cores, memory, kernel, and versions of Python and packages."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=True)
    return {
        "processor": processor[1] if processor else platform.machine(),
        "cores": cores.stdout.strip(),
        "memory": f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "?",
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }
