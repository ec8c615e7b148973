"""What becomes known of the traffic: journal, archive, a line for each, a summary."""

from collections import Counter

from soundstage.exchange.exchange import JournalEntry, RawExchange, redact_exchange
from soundstage.exchange.har import HarFile
from soundstage.exchange.redaction import Redactor, build_redactors
from soundstage.server.journal import Journal
from soundstage.server.recording import MAX_RECORDED_BODY_BYTES
from soundstage.tools.proxy.console import ProxyConsole
from soundstage.tools.proxy.contract_router import ContractRouter
from soundstage.tools.proxy.proxied_exchange import ProxiedExchange, build_raw_exchange
from soundstage.types import Document

NO_REDACTION = Redactor(frozenset())


class TrafficLog:
    """Is shown every exchange. Secrets stay in the archive only, and only if asked."""

    def __init__(
        self,
        router: ContractRouter,
        base_url: str,
        console: ProxyConsole,
        har_file: HarFile | None = None,
        *,
        keep_secrets: bool = False,
    ) -> None:
        masks = build_redactors([router.contract])
        self.journal = Journal(masks)
        self.counts: Counter[str] = Counter()
        self.violation_counts: Counter[tuple[str, str, str]] = Counter()
        self._api, self._base_url = router.contract.name, base_url
        self._console, self._har_file = console, har_file
        self._redactor = masks[self._api]
        self._har_redactor = NO_REDACTION if keep_secrets else self._redactor

    def __call__(self, exchange: ProxiedExchange) -> None:
        """Note one exchange."""
        seen = build_raw_exchange(exchange, self._api, self._base_url)
        self.counts["exchanges"] += 1
        number = self.counts["exchanges"]
        entry = redact_exchange(number, seen, self._redactor)
        self._count(exchange, entry)
        self.journal.record(_truncate_bodies(seen))
        if self._har_file:
            self._append_to_har(
                self._har_file, redact_exchange(number, seen, self._har_redactor)
            )
        self._console.print_exchange(entry, exchange.note)

    def _append_to_har(self, har_file: HarFile, entry: JournalEntry) -> None:
        """Write it down; traffic does not stop where that cannot be done any more."""
        try:
            har_file.append(entry)
        except OSError as error:
            self._har_file = None
            self._console.print_message(f"recorded no more: {error.strerror or error}")

    def _count(self, exchange: ProxiedExchange, entry: JournalEntry) -> None:
        self.counts["requests"] += bool(exchange.request_violations)
        self.counts["answers"] += bool(exchange.response_violations)
        for violation in entry.violations:
            operation = entry.operation or "no operation"
            self.violation_counts[operation, violation.location, violation.rule] += 1

    def summarize(self) -> Document:
        """Counts, and each way in which the contract was broken."""
        return {
            "exchanges": self.counts["exchanges"],
            "requests": self.counts["requests"],
            "answers": self.counts["answers"],
            "violations": [
                {"operation": operation, "at": place, "rule": rule, "times": times}
                for (
                    operation,
                    place,
                    rule,
                ), times in self.violation_counts.most_common()
            ],
        }


def _truncate_bodies(exchange: RawExchange) -> RawExchange:
    """As journals keep it in memory."""
    return exchange._replace(
        request_body=exchange.request_body[:MAX_RECORDED_BODY_BYTES],
        response_body=exchange.response_body[:MAX_RECORDED_BODY_BYTES],
    )
