"""What an API module declares, and what its handlers are given and give back.

ApiError            a handler refuses; the module's ``problem`` words it
├── NotFound
├── Forbidden
├── Conflict
└── Impossible
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from soundstage.openapi.errors import (
    BodyTooLarge,
    InvalidRequest,
    RouteNotFound,
    Unauthorized,
)
from soundstage.openapi.operation import Arguments
from soundstage.openapi.security import Credential
from soundstage.types import Json, JsonObject
from soundstage.world.collection import Collection
from soundstage.world.ids import IdFormat
from soundstage.world.random import RandomSource
from soundstage.world.record import ApiModel
from soundstage.world.runs import Run
from soundstage.world.scenario import RunRequest
from soundstage.world.scheduler import Schedule
from soundstage.world.world import World


class Response(NamedTuple):
    """An answer; a ``body`` of a text media type is a ``str``.

    A ``stream`` gives the items of a list, each as it comes about; they go out at once,
    in ``text/event-stream`` as the fields of server-sent events: ``{event, id, data,
    retry}``. It ends when it is exhausted, the client goes, or the server stops.
    """

    body: Json = None
    status: int = 200
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    stream: AsyncIterator[Json] | None = None


class Waiter(Protocol):
    """Lets handlers wait for what a world's clock or its next command brings.

    ``changes`` counts commands, and other speeds of the clock.
    """

    change_count: int

    async def wait_until(self, timestamp: int | None, since: int) -> None:
        """Come back at an instant (never, if None) or after more changes than these.

        Who waits is cancelled when the client goes or the server stops.
        """


@dataclass(slots=True)  # not frozen: one is made for every request, five times as fast
class RequestContext:
    """A valid request on its way to a handler. It does not change.

    ``now`` was read once for it, so that nothing in one answer can disagree; the world
    had seen so many ``changes`` by then. ``base_url`` is the scheme and host that the
    client used, ``root`` the path below which it finds this API in this world: what a
    link to the API begins with.
    """

    api: str
    world: World
    now: int
    arguments: Arguments
    credential: Credential
    base_url: str
    waiter: Waiter
    change_count: int = 0
    root_path: str = ""
    _random: RandomSource | None = None

    @property
    def random(self) -> RandomSource:
        """Draws of this request's own; the same again when it is replayed."""
        if self._random is None:
            self._random = self.world.command_random(self.api)
        return self._random

    @property
    def parameters(self) -> Mapping[str, Json]:
        """Parameters by name, with their defaults."""
        return self.arguments.parameters

    @property
    def body(self) -> Json:
        """The request's body."""
        return self.arguments.body

    def collection(self, name: str) -> Collection:
        """Records of this API in this world."""
        return self.world.collection(self.api, name)

    def get(self, collection: str, record_id: str) -> JsonObject:
        """A record as of now. Raises ``NotFound``."""
        document = self.collection(collection).get(record_id, self.now)
        if document is None:
            raise NotFound(collection, record_id)
        return document

    def new_id(self, id_form: IdFormat) -> str:
        """An identifier that nothing has yet; another one each time."""
        return id_form(self.random, self.now)

    def refreshed(self) -> "RequestContext":
        """The same request at the present instant, after commands perhaps."""
        now = self.world.now()
        return replace(self, now=now, change_count=self.waiter.change_count)

    async def wait_for_change(self, timestamp: int | None) -> "RequestContext":
        """The same request, at an instant or after the next change of the world.

        A change since this call's own ``now`` is not missed, whoever was busy then.
        """
        await self.waiter.wait_until(timestamp, self.change_count)
        return self.refreshed()


Handler = Callable[[RequestContext], Response | Awaitable[Response]]


class ApiError(Exception):
    """A handler refuses a valid request."""


class NotFound(ApiError):
    """There is no such record, or none that this caller may see."""

    def __init__(self, collection: str, record_id: str) -> None:
        super().__init__(f"{collection} has no {record_id!r}")
        self.collection, self.record_id = collection, record_id


class Forbidden(ApiError):
    """The credentials are good, but not for this."""


class Conflict(ApiError):
    """The state of things does not allow it; the text says why."""


class BadRequest(ApiError):
    """The request is well formed, but cannot be carried out; the text says why."""


def default_status(error: InvalidRequest | ApiError) -> int:
    """The status that HTTP has for a refusal, where an API has no other for it."""
    match error:
        case Unauthorized():
            return 401
        case Forbidden():
            return 403
        case RouteNotFound(allowed=allowed):
            return 405 if allowed else 404
        case NotFound():
            return 404
        case Conflict():
            return 409
        case BodyTooLarge():
            return 413
        case _:
            return 400


@dataclass(frozen=True, slots=True)
class ExampleRequest:
    """A request that works in the default world, for people to paste."""

    method: str
    path: str
    body: Json = None
    headers: tuple[tuple[str, str], ...] = ()


Headers = tuple[tuple[str, str], ...]


def retry_after_headers(seconds: int, _now: int) -> Headers:
    """How most APIs say when a client that asks too often may ask again."""
    return (("Retry-After", str(seconds)),)


@dataclass(frozen=True, slots=True)
class Api:
    """One API: how it speaks, what it does, how it refuses.

    ``handlers`` are by operationId. ``problem`` words every refusal, the contract's
    (``Refused``) and the handlers' (``ApiError``), in the API's own error body.
    ``rate_limit`` gives the headers of a 429: seconds to wait, the wall's instant.
    ``follow`` says which run is started after one that is over; its cue needs no task.
    ``schedule`` is what goes on without any request. ``synonyms`` are states as some
    clients are told of them, by ``kind.field``, each with its name in fixtures.
    ``numbered`` are the kinds whose records answers show by a number within their run,
    not by an identifier: the schema that they have there, and the number's field.
    """

    name: str
    title: str
    model: ApiModel
    handlers: Mapping[str, Handler]
    render_error: Callable[[InvalidRequest | ApiError], Response]
    example_request: ExampleRequest | None = field(default=None)
    rate_limit_headers: Callable[[int, int], Headers] = retry_after_headers
    on_finish: Callable[[Run], RunRequest | None] | None = None
    schedule: Schedule | None = None
    state_aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    numbered_records: Mapping[str, tuple[str, str]] = field(default_factory=dict)
