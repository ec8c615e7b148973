"""What runs within schemathesis when a server is verified: the second judge."""

from collections import Counter
from functools import cache
from typing import Any

import schemathesis

from soundstage.testing.campaign.inside import Case, catalogue, recorded, tell
from soundstage.testing.judge import Judge
from soundstage.testing.recorded import Recorded
from soundstage.testing.semantics.described import Described
from soundstage.testing.verify.example import cut_in, mask_of, shown
from soundstage.testing.verify.finding import Finding, Key, judged

SEEN: Counter[Key] = Counter()
"""Findings that were told already."""


@cache
def _judge() -> Judge:
    return Judge(catalogue().document)


def _tell(exchange: Recorded, operation: Described) -> None:
    mask = mask_of(operation.document)
    for key, message in judged(_judge(), operation, exchange):
        SEEN[key] += 1
        example = shown(exchange, mask) if SEEN[key] == 1 else {}
        text = cut_in(exchange, mask).text(message)
        tell(event="finding", finding=Finding(key, text, example).as_json())


@schemathesis.hook
def before_call(_context: Any, case: Case, _kwargs: dict[str, Any]) -> None:
    """Let nothing out that is not in the document: it has been cut to what is safe."""
    operation = catalogue().operations.get(case.operation.label)
    if operation is None or case.method != operation.method.upper():
        raise RuntimeError(f"{case.method} {case.path} is not to be sent")


@schemathesis.check
def answer_judged(_context: Any, response: schemathesis.Response, case: Case) -> None:
    """Every answer, held against the contract. What is wrong is told, not raised."""
    operation = catalogue().operations.get(case.operation.label)
    if operation is not None:
        _tell(recorded(response), operation)
