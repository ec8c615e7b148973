"""The guides for testers: what they show is run, and says what they say it says.

The tutorial is followed in tests/packaging/test_wheel.py, where its reader stands.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from soundstage import Run, Soundstage
from soundstage.pytest_plugin.clock import Clock
from support.docs import DOCS, blocks
from support.pytest_session import run_pytest
from support.server import running_server

pytestmark = pytest.mark.slow

GUIDE = (DOCS / "testing.md").read_text()


def test_the_guide_for_pytest_passes_as_it_stands(tmp_path):
    shown = [block for language, block in blocks("testing.md") if language == "python"]
    for number, block in enumerate(shown):
        (tmp_path / f"test_block_{number}.py").write_text(block)
    done = run_pytest(tmp_path)
    tests = sum(len(re.findall("^ *def test_", block, re.MULTILINE)) for block in shown)
    assert done.stdout.splitlines()[-1].startswith(f"{tests} passed"), done.stdout


@pytest.mark.parametrize("heading", ["Without pytest", "unittest"])
def test_what_needs_no_pytest_runs_without_it(tmp_path, heading):
    section = GUIDE.partition(f"\n## {heading}\n")[2]
    path = tmp_path / "told.py"
    path.write_text(section.partition("```python\n")[2].partition("```")[0])
    command = [sys.executable, "-W", "error::ResourceWarning", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert ("\nRan 1 test in" in done.stderr) == (heading == "unittest")


@pytest.mark.parametrize("kind", [Soundstage, Run, Clock])
def test_every_feature_is_in_the_guide(kind):
    names = {name for name in vars(kind) if not name.startswith("_")}
    names -= {"close", "check", "get_next_change"}
    assert {name for name in names if name not in GUIDE} == set()


NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="there is no node to run it")
def test_the_example_in_javascript_passes():
    with running_server() as server:
        done = subprocess.run(
            [NODE, "--test", str(DOCS / "examples/dashboard.test.mjs")],
            env={**os.environ, "SOUNDSTAGE_URL": server.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stdout
    assert "# pass 4\n" in done.stdout


@pytest.mark.parametrize("page", ["tutorial.md", "testing.md", "javascript.md", "performance.md"])
def test_links_of_the_guides_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", (DOCS / page).read_text()):
        assert (DOCS / target).exists(), target
