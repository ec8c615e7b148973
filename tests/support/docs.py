"""The guides of docs/, taken apart, and the tutorial, followed."""

import re
from pathlib import Path

from support.pytest_session import run_pytest

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and content of every fenced block."""
    text = (DOCS / page).read_text()
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def follow_the_tutorial(folder: Path, **options: str) -> None:
    """Write its files, run its commands, see its texts in what they said."""
    said, runs = "", 0
    for language, block in blocks("tutorial.md"):
        if language == "python":
            _write(folder, block)
        elif language == "sh" and "pytest" in block:
            said = run_pytest(folder, **options).stdout
            runs += 1
        elif language == "text":
            for line in block.splitlines():
                assert line in said
    assert runs == 4


def _write(folder: Path, block: str) -> None:
    """Let a file be this block; ``continued`` adds it, a name replaces a method."""
    name, _, how = block.partition("\n")[0].removeprefix("# ").partition(", ")
    path = folder / name
    if how == "continued":
        path.write_text(f"{path.read_text()}\n\n{block}")
    elif how:
        body = block.partition("\n")[2]
        path.write_text(path.read_text().partition(f"    def {how}(")[0] + body)
    else:
        path.write_text(block)
