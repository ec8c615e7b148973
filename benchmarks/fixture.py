"""The cost of one more test with the fixture, once the server runs."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, Result, summarize

TESTS = """
import pytest

@pytest.mark.parametrize("n", range(200))
def test_empty(n):
    pass

@pytest.mark.parametrize("n", range(200))
def test_using(n, soundstage):
    pass
"""

CONFTEST = """
import json, time
import pytest

TOOK = {}

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    began = time.perf_counter()
    result = yield
    TOOK.setdefault(item.originalname, []).append(time.perf_counter() - began)
    return result

def pytest_unconfigure():
    with open("took.json", "w") as out:
        json.dump(TOOK, out)
"""


def measure(repeats: int) -> Figure:
    """Milliseconds per test above an empty test, with setup and teardown."""
    return summarize(_measure_once() for _ in range(repeats))


def _measure_once() -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_it.py").write_text(TESTS)
        (folder / "conftest.py").write_text(CONFTEST)
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        subprocess.run(words, capture_output=True, check=True, cwd=folder)
        took = json.loads((folder / "took.json").read_text())
    using, empty = (statistics.median(took[test]) for test in ("test_using", "test_empty"))
    return (using - empty) * 1e3


def list_results(found: Figure) -> Iterator[Result]:
    """The figure with its target."""
    yield Result("pytest: one more test that uses the fixture", found, "ms", maximum=2)
