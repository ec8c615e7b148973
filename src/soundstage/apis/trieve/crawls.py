"""Crawls of web sites, whose pages become chunks one after another."""

from collections.abc import Mapping

from soundstage.apis.api import NotFound, RequestContext, Response
from soundstage.apis.trieve import jobs, store
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.chunks import build_chunk, upsert_chunk
from soundstage.apis.trieve.errors import RejectedRequest
from soundstage.apis.trieve.model import format_time
from soundstage.types import Document
from soundstage.world.clock import DAY
from soundstage.world.commands import Interrupt
from soundstage.world.query import page_of
from soundstage.world.runs import Run

PAGE_SIZE = 10

INTERVALS: Mapping[str | None, int] = {
    "daily": DAY,
    "weekly": 7 * DAY,
    "monthly": 30 * DAY,
}

MAX_PAGES = 8
"""How many pages a site has at most, where a request sets no lower limit."""


def create_crawl(context: RequestContext) -> Response:
    """Start a crawl, whose request moves on as its job does."""
    return _start_crawl(
        context, resolve_dataset(context), context.body["crawl_options"]
    )


def _start_crawl(
    context: RequestContext, dataset: Document, options: Document
) -> Response:
    _check_options(options)
    interval = options.get("interval")
    names = {
        "crawl_options": options,
        "url": options.get("site_url") or "",
        "crawl_type": (options.get("scrape_options") or {}).get("type", "firecrawl"),
        "interval": interval,
        "next_crawl_at": format_time(context.now + INTERVALS.get(interval, DAY)),
        "pages": _generate_page_count(context, options),
    }
    run = jobs.start(context, dataset, "crawl", **names)
    _schedule_chunks(context, dataset, run, options)
    first = (r.documents[0] for r in run.records if r.kind.name == "crawl")
    if (request := next(first, None)) is None:
        raise RejectedRequest("Could not crawl site: the planned scenario crawls none")
    return Response(_render_crawl(request))


def _check_options(options: Document) -> None:
    paths = options.get("include_paths") or ()
    if options.get("allow_external_links") and all(path == "*" for path in paths):
        raise RejectedRequest(
            "If allow_external_links is true, include_paths must contain at least one "
            "path that is not '*'"
        )


def _generate_page_count(context: RequestContext, options: Document) -> int:
    limit = options.get("limit")
    most = MAX_PAGES if limit is None else max(0, min(int(limit), MAX_PAGES))
    return context.random.whole(min(most, 3), most)


def _schedule_chunks(
    context: RequestContext, dataset: Document, run: Run, options: Document
) -> None:
    """Let there be the chunks that the job's events will tell of, page by page."""
    if options.get("add_chunks_to_dataset") is False:
        return
    site = (options.get("site_url") or "").rstrip("/")
    for page, each in enumerate(jobs.iter_events(run, "chunks_uploaded"), 1):
        for chunk_id in each.data["chunk_ids"]:
            text = context.random.text("paragraph")
            payload = {
                "chunk_html": f"<p>{text}</p>",
                "link": f"{site}/page-{page}",
                "tag_set": options.get("tags"),
            }
            chunk = {**build_chunk(context, dataset, payload), "id": chunk_id}
            upsert_chunk(context, chunk, each.event_id)


def list_crawls(context: RequestContext) -> Response:
    """A page of the dataset's crawls, the newest first. O(crawls of the dataset)."""
    found = list(store.list_visible(context, "crawls", resolve_dataset(context)))[::-1]
    page, limit = context.parameters.get("page"), context.parameters.get("limit")
    page = 1 if page is None else page
    limit = PAGE_SIZE if limit is None else limit
    return Response([_render_crawl(crawl) for crawl in page_of(found, page, limit)])


def update_crawl(context: RequestContext) -> Response:
    """Crawl again with merged options; a new request takes the old one's place."""
    dataset, given = resolve_dataset(context), context.body
    old = _find_crawl(context, dataset, given["crawl_id"].lower())
    new = {k: v for k, v in given["crawl_options"].items() if v is not None}
    options = {**old["crawl_options"], **new}
    _check_options(options)
    _stop_and_delete(context, old)
    return _start_crawl(context, dataset, options)


def delete_crawl(context: RequestContext) -> Response:
    """Forget a crawl's request, and stop its job."""
    _stop_and_delete(
        context,
        _find_crawl(
            context, resolve_dataset(context), context.parameters["crawl_id"].lower()
        ),
    )
    return Response(None, 204)


def _find_crawl(context: RequestContext, dataset: Document, crawl_id: str) -> Document:
    """A crawl by its id or its scrape id, by which the real server goes.

    O(crawls of the dataset). Raises ``NotFound``.
    """
    for crawl in store.list_visible(context, "crawls", dataset):
        if crawl_id in {crawl["id"], crawl["scrape_id"]}:
            return crawl
    raise NotFound("crawls", crawl_id)


def _stop_and_delete(context: RequestContext, crawl: Document) -> None:
    if job := crawl.get("job"):
        context.world.apply(Interrupt(context.api, job, "cancelled"))
    store.delete(context, "crawls", crawl["id"])


def _render_crawl(crawl: Document) -> Document:
    return {name: value for name, value in crawl.items() if name != "job"}
