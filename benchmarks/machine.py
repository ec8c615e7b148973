"""Where and with what it was measured."""

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


def described() -> dict[str, str]:
    """The processor, its cores, memory, the kernel, Python, and the packages."""
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
