"""The vendors' official JavaScript clients, unmodified: each tells a whole story.

``make test-clients`` installs them.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from support.server import running_server
from support.works_with import called, record_story

HERE = Path(__file__).parent / "javascript"
NODE = shutil.which("node")
CLIENTS = {
    "algolia-ingestion": ("@algolia/ingestion", "algoliasearch"),
    "runwisp": ("openapi-fetch",),
    "trieve": ("trieve-ts-sdk",),
    "trigger-dev": ("@trigger.dev/sdk", "@trigger.dev/core"),
}
LONGEST = 180  # seconds of the wall that one story may take

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not NODE, reason="there is no node on this machine"),
    pytest.mark.skipif(
        not (HERE / "node_modules").exists(),
        reason="the clients are not installed: make test-clients",
    ),
]


@pytest.fixture(scope="module")
def server():
    with running_server("--seed", "7") as server:
        yield server


@pytest.fixture
def world(server, request):
    """A world of the story's own, whose clock stands still."""
    wanted = {"name": f"js-{request.node.callspec.id}", "own_port": True}
    wanted |= {"now": "2026-01-01T00:00:00Z", "speed": 0}
    made = httpx.post(f"{server.url}/_soundstage/worlds", json=wanted)
    return made.raise_for_status().json()["url"]


@pytest.mark.parametrize("api", CLIENTS)
def test_a_story_is_told(api, world):
    story = HERE / f"{api}.test.mjs"
    told = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", str(story)],
        cwd=HERE,
        env={**os.environ, "SOUNDSTAGE_URL": world},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "tests 0" not in told.stdout
    names = CLIENTS[api]
    versions = [version_of(name) for name in names]
    record_story(", ".join(names) + " (npm)", ", ".join(versions), api, called(world, api))


def version_of(package):
    """What is installed."""
    about = (HERE / "node_modules" / package / "package.json").read_text()
    return json.loads(about)["version"]
