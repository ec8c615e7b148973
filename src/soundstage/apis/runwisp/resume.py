"""Where a client takes up a stream that broke off."""

import re
from typing import Final

from soundstage.apis.api import RequestContext

_EVENT_ID_PATTERN: Final = re.compile(r"-?\d{1,18}", re.ASCII)


def parse_last_event_id(context: RequestContext) -> int | None:
    """The id of the last event that the client saw; None if it says none of ours."""
    text = context.parameters.get("Last-Event-ID", "").strip()
    return int(text) if _EVENT_ID_PATTERN.fullmatch(text) else None
