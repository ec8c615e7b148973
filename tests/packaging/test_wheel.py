"""The wheel, in an environment of its own: what its users install."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from support.docs import blocks, follow_the_tutorial
from support.pytest_session import run_pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
ALONE = ("--no-deps", "--no-index")


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter with the wheel; its dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [*PIP, "wheel", *ALONE, "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("soundstage-*.whl")
    venv.create(folder / "venv", with_pip=False)
    (python,) = (folder / "venv").glob("*/python")
    subprocess.run([*PIP, "--python", python, "install", *ALONE, wheel], check=True)
    (site,) = (folder / "venv").glob("**/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return str(python)


@pytest.fixture(autouse=True)
def _no_checkout(monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)


def test_the_first_example_of_the_guide_runs(python, tmp_path):
    (tmp_path / "test_example.py").write_text(
        blocks("testing.md")[0][1]
        + "\n\ndef test_it_is_the_wheel_that_runs():\n    import soundstage, sys\n\n"
        "    assert soundstage.__file__.startswith(sys.prefix)\n"
    )
    done = run_pytest(tmp_path, python=python, plugin="soundstage")
    assert done.stdout.splitlines()[-1].startswith("2 passed"), done.stdout


def test_the_tutorial_does_what_it_says(python, tmp_path):
    follow_the_tutorial(tmp_path, python=python, plugin="soundstage")
