"""The tables of clients: what each was seen to call, written down by the stories.

``SOUNDSTAGE_WORKS_WITH=write pytest tests/clients`` writes works_with.json, README's
table and docs/clients.md anew; otherwise a story fails that calls other operations than
are written there.
"""

import json
import os
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


def tell(client, version, api, operations):
    """What a story has shown of a client."""
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
    """README's table."""
    head = "| client | version | API | operations it was seen to call |\n"
    return f"{head}|---|---|---|---|\n" + "".join(
        f"| {client} | {story['version']} | {story['api']} | "
        f"{len(story['operations'])} |\n"
        for client, story in stories()
    )


def long():
    """The table of docs/clients.md."""
    return "| client | operations |\n|---|---|\n" + "".join(
        f"| {client} | {', '.join(story['operations'])} |\n"
        for client, story in stories()
    )
