"""docs/glossary.md: its terms are used, and its retired words are not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs/glossary.md").read_text()
TERMS, RETIRED = GLOSSARY.split("## Retired words")
SOURCE = {path: path.read_text() for path in (ROOT / "src").rglob("*.py")}
PAGES = {
    path: path.read_text()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if path.name != "glossary.md"
}

# Names in the public interface, which stay as they are.
PUBLIC = re.compile(
    r"violations_are_told|\"answer_(headers|body)\"|\"answers\"|\"(value )?answered\"|\"said\""
    r"|answer\.|\banswer(?=\[|-[a-z…]|\")|\"answer\"|`answer`|\.tell\(\)"
)

INFLECTIONS = ("", "s", "d", "ed", "ing", "ings", "ment", "ments")


def terms():
    names = re.findall(r"^\| ([a-z][a-z -]*) \| ", TERMS, re.MULTILINE)
    return [name for name in names if name != "term"]


def retired():
    roots = re.findall(r"`([a-z ]+)`", RETIRED)
    # "judging" drops the "e" of its root.
    words = {root + ending for root in roots for ending in INFLECTIONS}
    words |= {root[:-1] + "ing" for root in roots if root.endswith("e")}
    return re.compile(rf"(?<![a-z])({'|'.join(sorted(words, key=len)[::-1])})(?![a-z])")


def words_of(text):
    """The text in lower case, with identifiers split into words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", PUBLIC.sub("", text))
    return spaced.replace("_", " ").lower()


def prose_of(page):
    """The page without code: outputs and names are quoted literally."""
    return re.sub(r"^```.*?^```$|`[^`]*`|^    [^\n]*$", "", page, flags=re.DOTALL | re.MULTILINE)


def test_the_glossary_has_between_20_and_40_terms():
    assert 20 <= len(terms()) <= 40


@pytest.mark.parametrize("term", terms())
def test_every_term_is_used_in_the_source(term):
    pattern = re.compile(rf"\b{term.replace(' ', '[ _]')}", re.IGNORECASE)
    assert any(pattern.search(words_of(text)) for text in SOURCE.values())


def test_no_retired_word_is_in_the_source():
    found = {
        f"{path.relative_to(ROOT)}:{number}": line.strip()
        for path, text in SOURCE.items()
        for number, line in enumerate(text.splitlines(), 1)
        if retired().search(words_of(line))
    }
    assert found == {}


def test_no_retired_word_is_in_the_documentation():
    found = {
        str(path.relative_to(ROOT)): retired().findall(words_of(prose_of(text)))
        for path, text in PAGES.items()
    }
    assert {path: words for path, words in found.items() if words} == {}


def test_lines_of_prose_have_at_most_100_columns():
    for path, text in PAGES.items():
        for line in prose_of(text).splitlines():
            is_table_or_link = line.startswith("|") or "](" in line
            assert len(line) <= 100 or is_table_or_link, f"{path.name}: {line}"
