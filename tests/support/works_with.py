"""The tables of clients: the operations that the tests of each client call.

``SOUNDSTAGE_WORKS_WITH=write pytest tests/clients`` writes works_with.json, the table
in README.md and docs/clients.md; otherwise a test fails that calls other operations.
"""

import json
import os
import textwrap
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
SEEN = ROOT / "tests/clients/works_with.json"
README, PAGE = ROOT / "README.md", ROOT / "docs/clients.md"
BEGIN, END = "<!-- works with: begin -->\n", "<!-- works with: end -->\n"


def called(url, api):
    """The operations of an API that were called, in a world."""
    covered = httpx.get(f"{url}/_soundstage/coverage").json()["operations"]
    return sorted(c["operation"] for c in covered if c["api"] == api and c["calls"])


def record_story(client, version, api, operations):
    """Compare what a client has called with works_with.json, or write it."""
    story = {"version": version, "api": api, "operations": operations}
    if os.environ.get("SOUNDSTAGE_WORKS_WITH") == "write":
        seen = {**read(), client: story}
        SEEN.write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n")
        for path, table in ((README, short()), (PAGE, long())):
            before, _, rest = path.read_text().partition(BEGIN)
            after = rest.partition(END)[2]
            path.write_text(before + BEGIN + table + END + after)
    assert read().get(client) == story


def read():
    return json.loads(SEEN.read_text()) if SEEN.exists() else {}


def stories():
    return sorted(read().items(), key=lambda item: (item[1]["api"], item[0].lower()))


def short():
    """The table in README.md."""
    head = "| client | version | API | operations called |\n"
    return f"{head}|---|---|---|---|\n" + "".join(
        f"| {client} | {story['version']} | {story['api']} | {len(story['operations'])} |\n"
        for client, story in stories()
    )


def long():
    """The sections of docs/clients.md: the operations of each client."""
    return "\n".join(
        f"**{client}**\n\n{textwrap.fill(', '.join(story['operations']), 100)}\n"
        for client, story in stories()
    )
