"""docs/ci.md: the recipe runs as it stands; the workflow runs nothing but it."""

import json
import os
import re
import shlex
import subprocess
import sys

import httpx
import pytest
import yaml

from support.docs import DOCS, blocks

pytestmark = pytest.mark.slow

FILES = {block.partition("\n")[0].removeprefix("# "): block for _, block in blocks("ci.md")}
SPEC = """openapi: 3.1.0
info: {title: T, version: '1'}
paths: {/a: {get: {responses: {'200': {description: It.}}}}}
"""


@pytest.fixture
def project(tmp_path):
    """A project with the files of the page, and commands that are ours."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "contracts").mkdir()
    for name in ("released", "next"):
        (tmp_path / f"contracts/{name}.yaml").write_text(SPEC)
    (tmp_path / "bin").mkdir()
    python = shlex.quote(sys.executable)
    for name, module in (("python", ""), ("soundstage", "-m soundstage.cli")):
        command = tmp_path / "bin" / name
        command.write_text(f'#!/bin/sh\nexec {python} {module} "$@"\n')
        command.chmod(0o755)
    return tmp_path


def ran(project):
    env = {
        **os.environ,
        "PATH": f"{project}/bin:{os.environ['PATH']}",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    return subprocess.run(
        ["/bin/sh", "ci.sh"],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def changed(project, name, old, new):
    path = project / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def assert_no_server_is_left(project):
    url = json.loads((project / "reports/soundstage.log").read_text().splitlines()[0])
    with pytest.raises(httpx.ConnectError):
        httpx.get(url["url"])


def test_the_recipe_passes_and_leaves_reports_and_no_server(project):
    done = ran(project)
    assert done.returncode == 0, done.stdout + done.stderr
    reports = {path.name for path in (project / "reports").iterdir()}
    assert reports == {
        "tests.xml",
        "soundstage.log",
        "journal.har",
        "coverage.json",
        "coverage.xml",
        "coverage.html",
        "fuzz",
    }
    report = json.loads((project / "reports/coverage.json").read_text())
    (runs,) = [o for o in report["operations"] if o["operation"] == "getTaskRuns"]
    assert runs["calls"] == 2  # one of each language
    assert_no_server_is_left(project)


FAILURES = [
    ("contracts/next.yaml", "paths: {/a:", "paths: {/b:", "operation-removed"),
    ("tests/test_dashboard.py", '"failed"}', '"failed", "limit": 0}', "query.limit"),
    ("ci.sh", "coverage-fail-under 1", "coverage-fail-under 99", "less than the 99 %"),
    ("client-tests.sh", "sort_direction=asc", "sort_direction=up", ""),
    ("ci.sh", "--fail-under 2", "--fail-under 99", "less than the 99 %"),
    ("coverage.yaml", "getTaskRuns", "nothing", "exceptions that match nothing: 1"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), FAILURES)
def test_what_is_wrong_ends_the_recipe(project, name, old, new, said):
    changed(project, name, old, new)
    done = ran(project)
    assert done.returncode not in {0, 126, 127}
    assert said in done.stdout + done.stderr
    if (project / "reports/soundstage.log").exists():
        assert_no_server_is_left(project)


def test_the_workflow_installs_and_runs_the_recipe():
    workflow = yaml.safe_load(FILES[".github/workflows/contracts.yml"])
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["python -m pip install 'soundstage[fuzz]'", "sh ci.sh"]
    upload = job["steps"][-1]
    assert (upload["if"], upload["with"]["path"]) == ("always()", "reports")


def test_links_of_the_page_lead_somewhere():
    for name in ("ci.md", "coverage.md", "diff.md"):
        for target in re.findall(r"\]\(([^)#]+)", (DOCS / name).read_text()):
            assert (DOCS / target).exists(), target
