"""A Starlette route for each operation: the document is written as JSON; no checks."""

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.floors.serve import answers, serve


def _route(path: str, answered: list[dict]) -> Route:
    by_query = {one["target"].partition("?")[2]: one["document"] for one in answered}
    method = answered[0]["method"]

    async def endpoint(request: Request) -> Response:
        if request.method == "POST":
            orjson.loads(await request.body())
        body = orjson.dumps(by_query[request.url.query])
        return Response(body, media_type="application/json")

    return Route(path, endpoint, methods=[method])


def _by_path() -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for one in answers():
        found.setdefault(one["target"].partition("?")[0], []).append(one)
    return found


if __name__ == "__main__":
    serve(Starlette(routes=[_route(*item) for item in _by_path().items()]))
