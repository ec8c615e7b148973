"""A bare ASGI application that sends the recorded bytes."""

from starlette.types import Receive, Scope, Send

from benchmarks.floors.serve import read_recorded_responses, serve

MESSAGES = {
    one["target"].encode(): (
        {
            "type": "http.response.start",
            "status": one["status"],
            "headers": [(n.encode(), v.encode()) for n, v in one["headers"]],
        },
        {"type": "http.response.body", "body": one["body"].encode()},
    )
    for one in read_recorded_responses()
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Send the response for path and query."""
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
