"""A bare ASGI application: the same bytes, and nothing else is done."""

from starlette.types import Receive, Scope, Send

from benchmarks.floors.serve import answers, serve

MESSAGES = {
    one["target"].encode(): (
        {
            "type": "http.response.start",
            "status": one["status"],
            "headers": [(n.encode(), v.encode()) for n, v in one["headers"]],
        },
        {"type": "http.response.body", "body": one["body"].encode()},
    )
    for one in answers()
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer by path and query."""
    query = scope["query_string"]
    target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
    start, body = MESSAGES[target]
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
    await send(start)
    await send(body)


if __name__ == "__main__":
    serve(app)
