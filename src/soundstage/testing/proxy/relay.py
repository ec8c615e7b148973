"""The proxy itself, an ASGI application: every exchange is judged as it passes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.api import Answer
from soundstage.contract.violation import Unrouted, Violation, header_of
from soundstage.server.exchange import by_name
from soundstage.server.journal.entry import VIOLATIONS_HEADER
from soundstage.server.message import Message, message_of, send_message
from soundstage.server.problems import problem_answer
from soundstage.server.waiting import Gone
from soundstage.testing.proxy.desk import ROOT
from soundstage.testing.proxy.judgement import Judgement, is_stream
from soundstage.testing.proxy.kept import Intake, is_whole
from soundstage.testing.proxy.passage import Passage
from soundstage.testing.proxy.terms import Terms
from soundstage.testing.proxy.upstream import Failed, Incoming, Outgoing, Upstream

log = logging.getLogger("soundstage")

TOLD = VIOLATIONS_HEADER.encode()


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done about violations: of which side they are refused, whether told."""

    refuses_requests: bool = False
    refuses_answers: bool = False
    tells: bool = True


Watch = Callable[[Passage], None]
"""Is shown every exchange when it is over, however it ended."""


class Relay:
    """Passes requests on to a service and its answers back; both are judged.

    What is asked below ``/_soundstage/`` is for the ``desk``.
    """

    def __init__(
        self,
        terms: Terms,
        upstream: Upstream,
        policy: Policy,
        watch: Watch,
        desk: ASGIApp | None = None,
    ) -> None:
        self._terms = terms
        self._desk = desk
        self._upstream = upstream
        self._policy = policy
        self._watch = watch
        self._judgement = Judgement(terms, upstream.codings)
        self._at_work: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        if scope["type"] != "http":
            return
        if self._desk and scope["raw_path"].startswith(ROOT):
            await self._desk(scope, receive, send)
            return
        headers = by_name(scope["headers"])
        passage = Passage(scope, Intake(receive, headers), headers)
        try:
            await self._accompany(self._pass(passage, send), passage)
        finally:
            self._watch(passage)

    def close(self) -> None:
        """Let go of whatever is under way."""
        for task in tuple(self._at_work):
            task.cancel()

    async def _accompany(
        self, work: Coroutine[None, None, None], passage: Passage
    ) -> None:
        """Do the work until it is done, the client has gone, or we stop."""
        task = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(passage.intake.left())
        self._at_work.add(task)
        try:
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                passage.note = "the client went before the end"
                task.cancel()
            await task
        except (asyncio.CancelledError, Gone):
            passage.note = passage.note or "cut off before the end"
        finally:
            self._at_work.discard(task)
            leaving.cancel()
            task.cancel()

    async def _pass(self, passage: Passage, send: Send) -> None:
        """Answer whatever happens; an answer that has begun is cut off."""
        try:
            await self._exchange(passage, send)
        except Failed as error:
            passage.note = str(error)
            if not passage.begun:
                answer = problem_answer(error.status, str(error))
                await self._answer(passage, answer, send)
        except Gone:
            raise
        except Exception as error:
            log.exception("the proxy failed")
            passage.note = f"the proxy failed: {error!r}"
            if not passage.begun:
                await self._answer(passage, problem_answer(500, passage.note), send)

    async def _exchange(self, passage: Passage, send: Send) -> None:
        intake, scope, judgement = passage.intake, passage.scope, self._judgement
        if self._policy.refuses_requests or is_whole(passage.headers):
            await intake.read_ahead()
        judgement.route(passage)
        judgement.read(passage)
        if passage.refusals and self._policy.refuses_requests:
            await self._refuse(passage, send)
            return
        content = intake.chunks() if intake.has_body else None
        outgoing = Outgoing(scope["method"], passage.target, scope["headers"], content)
        try:
            async with self._upstream.answer(outgoing) as incoming:
                judgement.read(passage)
                await self._back(passage, incoming, send)
        finally:
            judgement.read(passage)

    async def _back(self, passage: Passage, incoming: Incoming, send: Send) -> None:
        """Pass an answer on: whole if it can be waited for, else as it comes."""
        passage.status, passage.answer_headers = incoming.status, incoming.headers
        chunks = incoming.chunks()
        if not (is_whole(by_name(incoming.headers)) or _is_bodiless(passage)):
            self._judgement.judge_head(passage)
            await self._stream(passage, chunks, send)
            return
        async for chunk in chunks:
            passage.answer.add(chunk)
            if passage.answer.is_cut:
                self._judgement.judge_head(passage)
                await self._stream(passage, chunks, send)
                return
        self._judgement.judge(passage)
        if passage.answer_violations and self._policy.refuses_answers:
            await self._keep_back(passage, send)
        else:
            await self._say(passage, _message(passage), send)

    async def _stream(
        self, passage: Passage, chunks: AsyncIterator[bytes], send: Send
    ) -> None:
        """Send what has come, and the rest as it comes; judge it at its end."""
        if passage.answer_violations and self._policy.refuses_answers:
            await self._keep_back(passage, send)
            return
        message = self._told(passage, Message(passage.status or 0, (), b""))
        headers = [*passage.answer_headers, *message.headers]
        passage.begun = True
        start = {"type": "http.response.start", "status": passage.status}
        await send({**start, "headers": headers})
        ended = is_stream(passage.answer_type)
        try:
            for chunk in passage.answer.chunks:
                await _send_part(chunk, send)
            async for chunk in chunks:
                passage.answer.add(chunk)
                await _send_part(chunk, send)
            ended = True
        finally:
            if ended:
                self._judgement.judge(passage)
        await send({"type": "http.response.body", "body": b""})

    async def _refuse(self, passage: Passage, send: Send) -> None:
        """Answer as the API itself refuses."""
        error = passage.refusals[0]
        answer = self._terms.problem(error)
        if isinstance(error, Unrouted) and error.allowed:
            allow = ("Allow", ", ".join(error.allowed))
            answer = answer._replace(headers=(*answer.headers, allow))
        passage.note = "refused, and not passed on"
        await self._answer(passage, answer, send)

    async def _keep_back(self, passage: Passage, send: Send) -> None:
        """Say what is wrong with an answer instead of passing it on."""
        passage.note = "kept back; the client was given a 502"
        told = f"the answer {passage.status} of {self._upstream.base_url}"
        answer = problem_answer(502, f"{told} breaks the contract")
        listed = [violation.as_json() for violation in passage.answer_violations]
        answer = answer._replace(body={**answer.body, "violations": listed})
        await self._say(passage, message_of(answer), send)

    async def _answer(self, passage: Passage, answer: Answer, send: Send) -> None:
        """Give an answer of our own, and note it as the one that there was."""
        message = message_of(answer)
        passage.status, passage.answer_headers = message.status, message.headers
        passage.answer.replace(message.body)
        passage.plain_answer = None
        passage.answer_violations = ()
        await self._say(passage, message, send)

    async def _say(self, passage: Passage, message: Message, send: Send) -> None:
        passage.begun = True
        await send_message(self._told(passage, message), send)

    def _told(self, passage: Passage, message: Message) -> Message:
        """The message with a header that lists the violations so far."""
        wrong: tuple[Violation, ...] = passage.violations
        if not wrong or not self._policy.tells:
            return message
        kept = tuple(pair for pair in message.headers if pair[0] != TOLD)
        return message._replace(headers=(*kept, (TOLD, header_of(wrong).encode())))


def _message(passage: Passage) -> Message:
    """An answer that was waited for. To HEAD it tells of a body that does not come."""
    headers, body = passage.answer_headers, passage.answer.data
    if passage.scope["method"] != "HEAD":
        headers = tuple(pair for pair in headers if pair[0] != b"content-length")
        if not _is_bodiless(passage):
            headers = (*headers, (b"content-length", str(len(body)).encode()))
    return Message(passage.status or 0, headers, body)


def _is_bodiless(passage: Passage) -> bool:
    """Whether there can be no body, whatever the headers say (RFC 9112, 6.3)."""
    return passage.scope["method"] == "HEAD" or passage.status in {204, 304}


async def _send_part(part: bytes, send: Send) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})
