"""A read changes nothing: asked again, it says the same."""

from soundstage.testing.semantics.seen import Seen


def reads_repeat(seen: Seen) -> str | None:
    """The second answer to a GET is not the first one."""
    if not seen.ok or seen.exchange.method != "GET":
        return None
    if seen.header("content-type").startswith("text/event-stream"):
        return None
    second = seen.again()
    if second.status != seen.exchange.status:
        return f"asked again, it answers {second.status}"
    if second.body != seen.exchange.body:
        return "asked again, it answers something else"
    return None
