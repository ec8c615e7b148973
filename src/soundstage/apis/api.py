"""The types that an API module declares, and those that its handlers take and return.

ApiError            a handler rejects a valid request; ``Api.render_error`` renders it
├── NotFound        404
├── Forbidden       403
├── Conflict        409
└── BadRequest      400
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
from soundstage.world.state import Schedule, State
from soundstage.world.world import World

Headers = tuple[tuple[str, str], ...]
"""Names and values of response headers, in the order in which they are sent."""


class Response(NamedTuple):
    """A handler's response; the ``body`` of a text media type is a ``str``.

    ``stream`` replaces the body: it yields items that are sent at once, each when it
    occurs. For ``text/event-stream`` an item has the fields of a server-sent event:
    ``{event, id, data, retry}``. The stream ends when the iterator is exhausted, the
    client disconnects or the server stops.

    >>> Response({"id": "42"}, 201).media_type
    'application/json'
    """

    body: Json = None
    status: int = 200
    media_type: str = "application/json"
    headers: Headers = ()
    stream: AsyncIterator[Json] | None = None


class Waiter(Protocol):
    """Lets handlers wait for a timestamp of the world's clock or for a change.

    ``change_count`` counts commands and changes of the clock's speed.
    """

    change_count: int

    async def wait_until(self, timestamp: int | None, since: int) -> None:
        """Return at a timestamp (None: never) or once ``change_count`` exceeds another.

        The wait is cancelled when the client disconnects or the server stops.
        """


# Not frozen, because one is made for every request: that is five times as fast.
@dataclass(slots=True)
class RequestContext:
    """A valid request and the world that it is made in. It does not change.

    ``now`` (ms since the epoch) is read once per request, so that all timestamps in a
    response agree; ``change_count`` is the world's count of changes at that moment.
    ``base_url`` is the scheme and host that the client used, ``root_path`` the path
    below which the client reaches this API: links to the API begin with both.
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
        """The request's own random source; a replay generates the same values."""
        if self._random is None:
            self._random = self.world.command_random(self.api)
        return self._random

    @property
    def parameters(self) -> Mapping[str, Json]:
        """The parameters by name, defaults included."""
        return self.arguments.parameters

    @property
    def body(self) -> Json:
        """The request's body."""
        return self.arguments.body

    @property
    def state(self) -> State:
        """The state of this API in this world."""
        return self.world.state(self.api)

    def collection(self, name: str) -> Collection:
        """A collection of this API in this world."""
        # Not ``world.collection``, which reads the clock again.
        return self.world.current_state(self.api).collection(name)

    def get(self, collection: str, record_id: str) -> JsonObject:
        """Return a record as of now. Raises ``NotFound``."""
        record = self.collection(collection).get(record_id, self.now)
        if record is None:
            raise NotFound(collection, record_id)
        return record

    def new_id(self, id_format: IdFormat) -> str:
        """Generate an identifier; each call returns another one."""
        return id_format(self.random, self.now)

    def refreshed(self) -> "RequestContext":
        """Return the same request as of the present, after commands for example."""
        now = self.world.now()
        return replace(self, now=now, change_count=self.waiter.change_count)

    async def wait_for_change(self, timestamp: int | None) -> "RequestContext":
        """Return the request as of a timestamp, or of an earlier change of the world.

        ``None`` waits for a change only. A change after ``now`` is not missed, even if
        it came before this call.
        """
        await self.waiter.wait_until(timestamp, self.change_count)
        return self.refreshed()


Handler = Callable[[RequestContext], Response | Awaitable[Response]]


class ApiError(Exception):
    """A handler rejects a valid request; the message gives the reason."""


class NotFound(ApiError):
    """The record does not exist, or the client may not see it."""

    def __init__(self, collection: str, record_id: str) -> None:
        super().__init__(f"{collection} has no {record_id!r}")
        self.collection, self.record_id = collection, record_id


class Forbidden(ApiError):
    """The credentials are valid but do not permit the operation."""


class Conflict(ApiError):
    """The state of the records does not permit the operation."""


class BadRequest(ApiError):
    """The request matches the contract but cannot be carried out."""


def default_status(error: InvalidRequest | ApiError) -> int:
    """Return the HTTP status of an error, for APIs that have no other for it.

    >>> default_status(NotFound("runs", "42")), default_status(Conflict("it has ended"))
    (404, 409)
    """
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
    """A request that succeeds in the default world, printed for users to copy."""

    method: str
    path: str
    body: Json = None
    headers: Headers = ()


def retry_after_headers(seconds: int, _now: int) -> Headers:
    """Return the headers of a 429 response that most APIs send.

    >>> retry_after_headers(30, 0)
    (('Retry-After', '30'),)
    """
    return (("Retry-After", str(seconds)),)


@dataclass(frozen=True, slots=True)
class Api:
    """One API: its record types, its handlers and its error responses.

    - ``handlers``: by operationId.
    - ``render_error``: renders a violation of the contract (``InvalidRequest``) or an
      error of a handler (``ApiError``) as the API's own error response.
    - ``rate_limit_headers``: headers of a 429, from the seconds to wait and the wall
      clock (ms since the epoch).
    - ``on_finish``: returns the run that follows a finished one, if any; the request
      need not name a task.
    - ``schedule``: the runs that start without a request.
    - ``state_aliases``: by ``type.field``, states under the name that some clients
      use, each with its name in fixtures.
    - ``numbered_records``: record types that responses number within their run instead
      of giving an identifier: their schema, and the field of the number.
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
