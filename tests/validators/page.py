"""docs/validators.md: the table of disagreements, generated from the rules."""

from pathlib import Path

from validators.rules import RULES

PAGE = Path(__file__).parents[2] / "docs/validators.md"
BEGIN, END = "<!-- the table: begin -->", "<!-- the table: end -->"


def table():
    """The rules as a table in Markdown."""
    rows = (
        f"| {rule.name} | {_names(rule.who)} | {_names(rule.others)} | {rule.right} "
        f"| {rule.decided}: {_said(rule)} | {rule.why} |"
        for rule in RULES
    )
    return "\n".join(
        (
            "| what | rejected by | accepted by | right | decided by | why |",
            "|---|---|---|---|---|---|",
            *rows,
        )
    )


def _names(validators):
    return ", ".join(validators)


def _said(rule):
    text = rule.says.replace("|", "\\|").replace("*", "\\*")
    return f"“{text}”" if rule.quoted else f"{text} (in our words)"


def written(text):
    """Return the page with the current table."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
