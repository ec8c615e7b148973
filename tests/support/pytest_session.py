"""pytest in a process of its own, with the plugin and no others."""

import os
import subprocess
import sys
from pathlib import Path

PLUGIN = "soundstage.pytest_plugin.plugin"


def run_pytest(
    folder: Path, *arguments: str, python: str = sys.executable, plugin: str = PLUGIN
) -> subprocess.CompletedProcess[str]:
    """What pytest says of the tests in a folder; warnings are errors."""
    command = [python, "-m", "pytest", "-p", plugin, "-W", "error", "-q", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
