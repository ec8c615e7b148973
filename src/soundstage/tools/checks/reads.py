"""A read changes nothing: asked again, it says the same."""

from soundstage.tools.checks.context import CheckContext


def reads_repeat(context: CheckContext) -> str | None:
    """The second answer to a GET is not the first one."""
    if not context.is_success or context.exchange.method != "GET":
        return None
    if context.get_header("content-type").startswith("text/event-stream"):
        return None
    second = context.repeat()
    if second.status != context.exchange.status:
        return f"asked again, it answers {second.status}"
    if second.response_body != context.exchange.response_body:
        return "asked again, it answers something else"
    return None
