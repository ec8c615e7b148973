"""A Starlette route per operation, which serializes JSON without validation."""

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.floors.serve import read_recorded_responses, serve


def _build_route(path: str, responses: list[dict]) -> Route:
    by_query = {one["target"].partition("?")[2]: one["document"] for one in responses}
    method = responses[0]["method"]

    async def endpoint(request: Request) -> Response:
        if request.method == "POST":
            orjson.loads(await request.body())
        body = orjson.dumps(by_query[request.url.query])
        return Response(body, media_type="application/json")

    return Route(path, endpoint, methods=[method])


def _group_by_path() -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for one in read_recorded_responses():
        found.setdefault(one["target"].partition("?")[0], []).append(one)
    return found


if __name__ == "__main__":
    serve(Starlette(routes=[_build_route(*item) for item in _group_by_path().items()]))
