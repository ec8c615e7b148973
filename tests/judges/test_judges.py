"""Three judges of the same exchanges: where they disagree there is a rule that says why.

Half the exchanges are requests, half are answers; four of five are changed in one way
that most often makes them wrong. ``JUDGED_EXCHANGES`` is how many there are (3,000),
``JUDGED_SEED`` draws others. docs/judges.md has the table of the rules.
"""

import logging
import os
from collections import Counter
from functools import cache

import pytest
from connexion.exceptions import InvalidSpecification
from connexion.spec import Specification

from judges.documents import documents
from judges.exchanges import Generator
from judges.page import PAGE, table, written
from judges.panel import Core, Ours, Stock
from judges.rules import CORE, RULES, STOCK, explained

NAMES = (
    "algolia-ingestion",
    "runwisp",
    "trieve",
    "trigger-dev",
    "keywords-3.0",
    "keywords-3.1",
)
COUNT = int(os.environ.get("JUDGED_EXCHANGES", "3000"))
SEED = os.environ.get("JUDGED_SEED", "1")
SHARES = {name: 3 if name.startswith("keywords") else 2 for name in NAMES}
MANY = 20_000
"""Exchanges in which every rule is needed at least once."""


every_document = cache(documents)


def _share(name):
    return COUNT * SHARES[name] // sum(SHARES.values())


def document(name):
    return every_document()[name]


@cache
def judged(name):
    """What was found in the exchanges of one document."""
    logging.disable(logging.CRITICAL)  # Connexion tells of every refusal
    try:
        return _judged(name)
    finally:
        logging.disable(logging.NOTSET)


def _judged(name):
    ours = Ours(document(name))
    others = {CORE: Core(document(name)), STOCK: Stock(document(name))}
    used, verdicts, puzzles, refused = Counter(), Counter(), [], []
    for case in Generator(name, document(name)).cases(SEED, _share(name)):
        wrong = getattr(ours, case.side)(case)
        verdicts[case.side, bool(wrong)] += 1
        if wrong and case.change == "none":
            refused.append(f"{case}: {wrong}")
        for other, judge in others.items():
            theirs = getattr(judge, case.side)(case)
            if theirs is None or bool(theirs) == bool(wrong):
                verdicts[other, "agrees" if theirs is not None else "is silent"] += 1
                continue
            verdicts[other, "disagrees"] += 1
            for reason, rule in explained(case, wrong, theirs, other).items():
                if rule:
                    used[rule.name] += 1
                else:
                    puzzles.append(f"{other}, {reason}: {case}")
    others[STOCK].close()
    return used, verdicts, puzzles, refused


@pytest.mark.parametrize("name", NAMES)
def test_every_disagreement_has_a_rule_that_explains_it(name):
    _used, verdicts, puzzles, _refused = judged(name)
    print(name, dict(verdicts))  # noqa: T201 - shown with -s
    assert puzzles[:5] == []


@pytest.mark.parametrize("name", NAMES)
def test_ours_takes_what_is_drawn_as_valid(name):
    assert judged(name)[3] == []


@pytest.mark.parametrize("name", NAMES)
def test_there_are_good_and_bad_exchanges_of_both_sides(name):
    _used, verdicts, _puzzles, _refused = judged(name)
    for side in ("request", "answer"):
        for wrong in (True, False):
            assert verdicts[side, wrong] * 8 > _share(name) // 2


@pytest.mark.skipif(COUNT < MANY, reason="in a run of JUDGED_EXCHANGES=20000")
def test_no_rule_is_idle():
    used = {rule for name in NAMES for rule in judged(name)[0]}
    assert [rule.name for rule in RULES if rule.name not in used] == []


@pytest.mark.parametrize("name", NAMES)
def test_connexion_loads_3_0_and_nothing_else(name):
    said = document(name)["openapi"]
    if said.startswith("3.0"):
        return
    with pytest.raises(InvalidSpecification, match=r"does not match '\^3"):
        Specification.load(document(name))


def test_rules_have_names_and_reasons_of_their_own():
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.says
        assert len(rule.why.split()) > 3
        assert rule.who[0] not in rule.others or len(rule.who) > 1


def test_the_page_has_the_table_of_now():
    text = PAGE.read_text()
    assert table() in text
    assert written(text) == text
