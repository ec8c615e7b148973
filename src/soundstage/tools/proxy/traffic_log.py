"""Log the traffic of the proxy: journal, archive, console, and a summary."""

from collections import Counter

from soundstage.exchange.exchange import JournalEntry, RawExchange, redact_exchange
from soundstage.exchange.har import HarFile
from soundstage.exchange.redaction import Redactor, build_redactors
from soundstage.server.journal import Journal
from soundstage.server.recording import MAX_RECORDED_BODY_BYTES
from soundstage.tools.proxy.console import ProxyConsole
from soundstage.tools.proxy.contract_router import ContractRouter
from soundstage.tools.proxy.proxied_exchange import ProxiedExchange, build_raw_exchange
from soundstage.types import JsonObject

NO_REDACTION = Redactor(frozenset())


class TrafficLog:
    """Logs each exchange. Secrets are redacted, unless the archive is to keep them."""

    def __init__(
        self,
        router: ContractRouter,
        base_url: str,
        console: ProxyConsole,
        har_file: HarFile | None = None,
        *,
        keep_secrets: bool = False,
    ) -> None:
        redactors = build_redactors([router.contract])
        self.journal = Journal(redactors)
        self.counts: Counter[str] = Counter()
        self.violation_counts: Counter[tuple[str, str, str]] = Counter()
        self._api, self._base_url = router.contract.name, base_url
        self._console, self._har_file = console, har_file
        self._redactor = redactors[self._api]
        self._har_redactor = NO_REDACTION if keep_secrets else self._redactor

    def __call__(self, exchange: ProxiedExchange) -> None:
        """Log one exchange."""
        raw = build_raw_exchange(exchange, self._api, self._base_url)
        self.counts["exchanges"] += 1
        number = self.counts["exchanges"]
        entry = redact_exchange(number, raw, self._redactor)
        self._count(exchange, entry)
        # Memory is bounded, the archive is not: it gets the whole bodies.
        self.journal.record(_truncate_bodies(raw))
        if self._har_file:
            recorded = redact_exchange(number, raw, self._har_redactor)
            self._append_to_har(self._har_file, recorded)
        self._console.print_exchange(entry, exchange.note)

    def _append_to_har(self, har_file: HarFile, entry: JournalEntry) -> None:
        """Append an exchange; if that fails, traffic continues without recording."""
        try:
            har_file.append(entry)
        except OSError as error:
            self._har_file = None
            self._console.print_message(f"recording stopped: {error.strerror or error}")

    def _count(self, exchange: ProxiedExchange, entry: JournalEntry) -> None:
        self.counts["requests"] += bool(exchange.request_violations)
        self.counts["answers"] += bool(exchange.response_violations)
        operation = entry.operation or "no operation"
        for violation in entry.violations:
            self.violation_counts[operation, violation.display_path, violation.rule] += 1

    def summarize(self) -> JsonObject:
        """Return the counts of exchanges and of each kind of violation."""
        violations = self.violation_counts.most_common()
        return {
            "exchanges": self.counts["exchanges"],
            "requests": self.counts["requests"],
            "answers": self.counts["answers"],
            "violations": [
                {"operation": operation, "at": location, "rule": rule, "times": times}
                for (operation, location, rule), times in violations
            ],
        }


def _truncate_bodies(exchange: RawExchange) -> RawExchange:
    """Return the exchange as a journal stores it, to bound its memory."""
    return exchange._replace(
        request_body=exchange.request_body[:MAX_RECORDED_BODY_BYTES],
        response_body=exchange.response_body[:MAX_RECORDED_BODY_BYTES],
    )
