"""Where a client takes up a stream that broke off."""

import re
from typing import Final

from soundstage.apis.api import Call

_NUMBER: Final = re.compile(r"-?\d{1,18}", re.ASCII)


def last_event(call: Call) -> int | None:
    """The id of the last event that the client saw; None if it says none of ours."""
    text = call.parameters.get("Last-Event-ID", "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None
