"""What becomes known of the traffic: journal, archive, a line for each, a summary."""

from collections import Counter

from soundstage.server.journal.entry import Entry, Seen, entry_of
from soundstage.server.journal.journal import Journal
from soundstage.server.journal.masking import Mask, masks_of
from soundstage.server.journal.recording import BODY_LIMIT
from soundstage.testing.proxy.lines import Lines
from soundstage.testing.proxy.passage import Passage, seen_of
from soundstage.testing.proxy.tape import Tape
from soundstage.testing.proxy.terms import Terms
from soundstage.types import Document

NO_MASK = Mask(frozenset())


class Notes:
    """Is shown every exchange. Secrets stay in the archive only, and only if asked."""

    def __init__(
        self,
        terms: Terms,
        base_url: str,
        lines: Lines,
        tape: Tape | None = None,
        *,
        keep_secrets: bool = False,
    ) -> None:
        masks = masks_of([terms.contract])
        self.journal = Journal(masks)
        self.counts: Counter[str] = Counter()
        self.kinds: Counter[tuple[str, str, str]] = Counter()
        self._api, self._base_url = terms.contract.name, base_url
        self._lines, self._tape = lines, tape
        self._mask = masks[self._api]
        self._kept_mask = NO_MASK if keep_secrets else self._mask

    def __call__(self, passage: Passage) -> None:
        """Note one exchange."""
        seen = seen_of(passage, self._api, self._base_url)
        self.counts["exchanges"] += 1
        number = self.counts["exchanges"]
        entry = entry_of(number, seen, self._mask)
        self._count(passage, entry)
        self.journal.record(_shortened(seen))
        if self._tape:
            self._record(self._tape, entry_of(number, seen, self._kept_mask))
        self._lines.exchange(entry, passage.note)

    def _record(self, tape: Tape, entry: Entry) -> None:
        """Write it down; traffic does not stop where that cannot be done any more."""
        try:
            tape.add(entry)
        except OSError as error:
            self._tape = None
            self._lines.say(f"recorded no more: {error.strerror or error}")

    def _count(self, passage: Passage, entry: Entry) -> None:
        self.counts["requests"] += bool(passage.request_violations)
        self.counts["answers"] += bool(passage.answer_violations)
        for violation in entry.violations:
            operation = entry.operation or "no operation"
            self.kinds[operation, violation.location, violation.rule] += 1

    def summary(self) -> Document:
        """Counts, and each way in which the contract was broken."""
        return {
            "exchanges": self.counts["exchanges"],
            "requests": self.counts["requests"],
            "answers": self.counts["answers"],
            "violations": [
                {"operation": operation, "at": place, "rule": rule, "times": times}
                for (operation, place, rule), times in self.kinds.most_common()
            ],
        }


def _shortened(seen: Seen) -> Seen:
    """As journals keep it in memory."""
    return seen._replace(
        body=seen.body[:BODY_LIMIT], answer_body=seen.answer_body[:BODY_LIMIT]
    )
