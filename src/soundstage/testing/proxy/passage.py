"""One exchange on its way through the proxy, and what is noted of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Scope

from soundstage.contract.operation import Arguments, Operation
from soundstage.contract.security import Headers
from soundstage.contract.violation import Refused, Violation
from soundstage.server.exchange import by_name
from soundstage.server.journal.entry import Seen
from soundstage.server.journal.masking import Pair
from soundstage.server.journal.recording import NOTHING
from soundstage.testing.proxy.kept import Intake, Kept
from soundstage.world.clock import wall


@dataclass(slots=True)
class Passage:
    """What is known of an exchange; whoever finds out more fills it in.

    ``operation`` is None where none has the path, or it cannot be judged. ``body`` and
    ``answer`` are as they came, ``plain_body`` and ``plain_answer`` without content
    codings: None until they are read, or where they cannot be. ``note`` says what else
    is worth a line. ``is_read`` says that the request was judged, ``begun`` that its
    answer has begun to go out.
    """

    scope: Scope
    intake: Intake
    headers: Headers
    operation: Operation | None = None
    path_values: Mapping[str, str] = field(default_factory=dict)
    arguments: Arguments | None = None
    refusals: tuple[Refused, ...] = ()
    plain_body: bytes | None = None
    is_read: bool = False
    begun: bool = False
    status: int | None = None
    answer_headers: tuple[Pair, ...] = ()
    answer: Kept = field(default_factory=Kept)
    plain_answer: bytes | None = None
    answer_violations: tuple[Violation, ...] = ()
    note: str | None = None
    came: int = field(default_factory=wall)

    @property
    def target(self) -> bytes:
        """Path and query as they were sent."""
        raw: bytes = self.scope["raw_path"]
        query: bytes = self.scope["query_string"]
        return raw + b"?" + query if query else raw

    @property
    def request_violations(self) -> tuple[Violation, ...]:
        """All that is wrong with the request."""
        return tuple(v for refusal in self.refusals for v in refusal.violations)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What is wrong with either side."""
        return self.request_violations + self.answer_violations

    @property
    def answer_type(self) -> str | None:
        """The media type of the answer."""
        types = by_name(self.answer_headers).get(b"content-type")
        return types[-1].decode("latin-1") if types else None


def seen_of(passage: Passage, api: str, base_url: str) -> Seen:
    """The exchange for the journal, its bodies whole where they were kept."""
    kept, answer = passage.intake.kept, passage.answer
    body = kept.data if passage.plain_body is None else passage.plain_body
    told = answer.data if passage.plain_answer is None else passage.plain_answer
    return Seen(
        at=passage.came,
        wall=passage.came,
        took=wall() - passage.came,
        api=api,
        operation=passage.operation,
        method=passage.scope["method"],
        base_url=base_url,
        path=passage.scope["raw_path"],
        query=passage.scope["query_string"],
        parameters=passage.arguments.parameters if passage.arguments else NOTHING,
        headers=passage.headers,
        body=body,
        body_size=kept.size if kept.is_cut else len(body),
        status=passage.status,
        answer_headers=passage.answer_headers,
        answer_body=told,
        answer_size=answer.size if answer.is_cut else len(told),
        violations=passage.violations,
        fault=None,
    )
