"""README's table of clients: what each was seen to call, written down by the stories.

``SOUNDSTAGE_WORKS_WITH=write pytest tests/clients`` writes works_with.json and README
anew; otherwise a story fails that calls other operations than are written there.
"""

import json
import os
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
SEEN = Path(__file__).with_name("works_with.json")
README = ROOT / "README.md"
BEGIN, END = "<!-- works with: begin -->\n", "<!-- works with: end -->\n"
HEAD = (
    "| client | version | API | operations it was seen to call |\n|---|---|---|---|\n"
)


def called(url, api):
    """The operations of an API that were called, in a world."""
    covered = httpx.get(f"{url}/_soundstage/coverage").json()["operations"]
    return sorted(c["operation"] for c in covered if c["api"] == api and c["calls"])


def tell(client, version, api, operations):
    """What a story has shown of a client."""
    story = {"version": version, "api": api, "operations": operations}
    if os.environ.get("SOUNDSTAGE_WORKS_WITH") == "write":
        seen = {**read(), client: story}
        SEEN.write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n")
        text = README.read_text()
        before, _, rest = text.partition(BEGIN)
        README.write_text(before + BEGIN + table() + END + rest.partition(END)[2])
    assert read().get(client) == story


def read():
    return json.loads(SEEN.read_text()) if SEEN.exists() else {}


def table():
    """As README has it."""
    rows = (
        f"| {client} | {story['version']} | {story['api']} | "
        f"{', '.join(story['operations'])} |\n"
        for client, story in sorted(read().items(), key=lambda item: item[0].lower())
    )
    return HEAD + "".join(rows)
