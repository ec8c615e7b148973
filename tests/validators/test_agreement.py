"""Three judges of the same exchanges: where they disagree there is a rule that says why.

Half the exchanges are requests, half are answers; four of five are changed in one way
that most often makes them wrong. ``JUDGED_EXCHANGES`` is how many there are (3,000),
``JUDGED_SEED`` draws others. docs/validators.md has the table of the rules.
"""

import logging
import os
from collections import Counter
from functools import cache

import pytest
from connexion.exceptions import InvalidSpecification
from connexion.spec import Specification

from support.effort import scale
from validators.documents import documents
from validators.exchanges import Generator
from validators.page import PAGE, table, written
from validators.panel import Core, Ours, Stock
from validators.rules import CORE, RULES, STOCK, explained
from validators.samples import samples

NAMES = ("algolia-ingestion", "runwisp", "trieve", "trigger-dev", "keywords-3.0", "keywords-3.1")
COUNT = int(os.environ.get("JUDGED_EXCHANGES", scale(3000)))
SEED = os.environ.get("JUDGED_SEED", "1")
SHARES = {name: 3 if name.startswith("keywords") else 2 for name in NAMES}


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
    others = {CORE: Core(name, document(name)), STOCK: Stock(document(name))}
    verdicts, needs, puzzles, refused = Counter(), {}, [], []
    drawn = Generator(name, document(name)).cases(SEED, _share(name))
    for case in (*samples(name), *drawn):
        wrong = getattr(ours, case.side)(case)
        verdicts[case.side, bool(wrong)] += 1
        needed = needs.setdefault(case.change, set())
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
                    needed.add(rule.name)
                else:
                    puzzles.append(f"{other}, {reason}: {case}")
    others[STOCK].close()
    return verdicts, needs, puzzles, refused


@pytest.mark.parametrize("name", NAMES)
def test_every_disagreement_has_a_rule_that_explains_it(name):
    verdicts, _needs, puzzles, _refused = judged(name)
    print(name, dict(verdicts))  # noqa: T201 - shown with -s
    assert puzzles[:5] == []


@pytest.mark.parametrize("name", NAMES)
def test_ours_takes_what_is_drawn_as_valid(name):
    assert judged(name)[3] == []


@pytest.mark.parametrize("name", NAMES)
def test_there_are_good_and_bad_exchanges_of_both_sides(name):
    verdicts, _needs, _puzzles, _refused = judged(name)
    for side in ("request", "answer"):
        for wrong in (True, False):
            assert verdicts[side, wrong] * 8 > _share(name) // 2


def test_no_rule_is_idle():
    needed = {}
    for name in NAMES:
        for change, rules in judged(name)[1].items():
            needed.setdefault(change, set()).update(rules)
    idle = [r.name for r in RULES if r.name not in needed.get(f"sample: {r.name}", ())]
    assert idle == []


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
