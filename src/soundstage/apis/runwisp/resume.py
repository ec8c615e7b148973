"""The position at which a client resumes a stream of server-sent events."""

import re
from typing import Final

from soundstage.apis.api import RequestContext

_EVENT_ID_PATTERN: Final = re.compile(r"-?\d{1,18}", re.ASCII)


def parse_last_event_id(context: RequestContext) -> int | None:
    """Return the ``Last-Event-ID`` of the request; None if it is no id of ours."""
    text = context.parameters.get("Last-Event-ID", "").strip()
    return int(text) if _EVENT_ID_PATTERN.fullmatch(text) else None
