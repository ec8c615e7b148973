"""Why the judges disagree: a rule for every reason, with the sentence that decides it.

A rule is about one reason of the judge that refuses. A case is explained if each of its
reasons is: by the first rule, in this order, that fits it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from soundstage.contract.body import essence
from soundstage.testing.recorded import header_of

CORE, STOCK = "openapi-core", "Connexion"
OURS = "ours"
STRICT = "ours, by decision"
OPEN = "left open"


@dataclass(frozen=True)
class Rule:
    """``who`` refuses what ``others`` take, for a reason like this.

    ``says`` is the sentence that decides; where it is not ``quoted`` it is in our words.
    """

    name: str
    who: str
    others: tuple[str, ...]
    reason: str
    right: str
    decided: str
    says: str
    why: str
    quoted: bool = False
    when: Callable = lambda _case: True

    def fits(self, who, other, case, reason):
        """Whether it explains that ``who`` refuses for this reason and ``other`` not."""
        return (
            who == self.who
            and other in self.others
            and re.search(self.reason, reason, re.DOTALL) is not None
            and self.when(case)
        )


def explained(case, ours, theirs, other):
    """The rules for each reason of a disagreement; ``None`` where there is none."""
    who, reasons = ("ours", ours) if ours else (other, theirs)
    other = other if ours else "ours"
    return {
        reason: next((r for r in RULES if r.fits(who, other, case, reason)), None)
        for reason in reasons
    }


def _sent(case):
    return case.exchange.body if case.side == "answer" else case.exchange.request_body


def _kind(case):
    answer = case.side == "answer"
    headers = case.exchange.headers if answer else case.exchange.request_headers
    return header_of(headers, "content-type")


def _has(pattern):
    """The body has bytes like these."""
    return lambda case: re.search(pattern, _sent(case), re.DOTALL) is not None


def _asks(pattern):
    """The request line or a header of the request has a text like this."""

    def when(case):
        headers = " ".join(value for _, value in case.exchange.request_headers)
        return re.search(pattern, f"{case.exchange.url}\n{headers}") is not None

    return when


def _changed(pattern):
    return lambda case: re.search(pattern, case.change) is not None


def _of(*operations):
    return lambda case: case.operation in operations


def _old(case):
    return case.api in {"trieve", "keywords-3.0"}


def _new(case):
    return not _old(case)


def _not_utf8(case):
    try:
        _sent(case).decode()
    except UnicodeDecodeError:
        return True
    return False


_PLACE = r"^(query|path|header|cookie)\.\S+ "
BOTH = (CORE, STOCK)

RULES = (
    # Requests: the line and the headers
    Rule(
        "a parameter that nobody documented", OURS, (CORE,),
        r"^query(\.\S*)? unknown", STRICT, "ADR 3",
        "unknown query parameters and repeated scalars are refused though some vendors ignore them",
        "OpenAPI leaves open what to do with other parameters; a typing mistake is found only if it is refused.",
        quoted=True,
    ),
    Rule(
        "a scalar that is sent twice", OURS, BOTH,
        r"^(query|header)\.\S+ repeated", STRICT, "ADR 3",
        "unknown query parameters and repeated scalars are refused though some vendors ignore them",
        "openapi-core takes the first, Connexion the last; the client can mean only one (RFC 9110, 5.3, forbids it for header lines that are no lists).",
        quoted=True,
    ),
    Rule(
        "percent-encoded bytes that are not UTF-8", OURS, BOTH,
        r"^(query|path)(\.\S+)? (encoding|route|unknown)", OURS, "RFC 3986, 2.5",
        "text is encoded as octets according to UTF-8 first, then percent-encoded",
        "The others put a sign in the place of the bytes.",
        when=_asks(r"%C3(?!%)"),
    ),
    Rule(
        "numbers as Python reads them", OURS, BOTH,
        _PLACE + "(type|oneOf|anyOf)$", OURS, "RFC 8259, 6",
        "number = [ minus ] int [ frac ] [ exp ]",
        "Python's int() and float() take +1, 1_000, spaces and digits of other scripts as well.",
        quoted=True,
        when=_asks(r"[?&=/, .](\+1|%2B1|%201|1%20|1_000|%D9%A3|1%0A|NaN|Infinity|1e400|01| 1|1 )"),
    ),
)  # fmt: skip
