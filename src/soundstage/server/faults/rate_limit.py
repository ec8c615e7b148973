"""Too many requests, said with the headers that the vendor says it with."""

from dataclasses import dataclass
from typing import ClassVar

from soundstage.apis.api import Answer, Api
from soundstage.server.faults.fault import Fault
from soundstage.server.faults.status import refusal
from soundstage.types import Document
from soundstage.world.clock import wall


@dataclass(frozen=True, slots=True)
class RateLimit(Fault):
    """Answers 429, and does not carry the request out."""

    NAME = "rate_limit"
    ABOUT = "429 with the vendor's own headers; retry_after are seconds of the wall."
    OPTIONS: ClassVar[Document] = {
        "retry_after": {"type": "integer", "minimum": 0, "maximum": 86400, "default": 1}
    }

    retry_after: int

    def instead(self, api: Api) -> Answer:
        answer = refusal(api, 429)
        # Clients wait by the wall's clock, whatever the world's own shows.
        headers = api.rate_limit(self.retry_after, wall())
        return answer._replace(headers=(*answer.headers, *headers))
