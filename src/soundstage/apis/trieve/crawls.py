"""Crawls of web sites, which upload chunks page by page."""

from collections.abc import Mapping

from soundstage.apis.api import NotFound, RequestContext, Response
from soundstage.apis.trieve import jobs
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.chunks import build_chunk, upsert_chunk
from soundstage.apis.trieve.errors import RejectedRequest
from soundstage.apis.trieve.model import format_time
from soundstage.apis.trieve.store import Dataset
from soundstage.types import JsonObject
from soundstage.world.clock import DAY
from soundstage.world.commands import Interrupt
from soundstage.world.query import slice_page
from soundstage.world.runs import Run

PAGE_SIZE = 10

INTERVALS: Mapping[str | None, int] = {"daily": DAY, "weekly": 7 * DAY, "monthly": 30 * DAY}
"""Time between two crawls of a site, in ms."""

MAX_PAGES = 8
"""Pages that a crawl visits at most; a request may set a lower limit."""


def create_crawl(context: RequestContext) -> Response:
    """Start a crawl; its status follows the job."""
    dataset = resolve_dataset(context)
    return _start_crawl(dataset, context.body["crawl_options"])


def _start_crawl(dataset: Dataset, options: JsonObject) -> Response:
    _check_options(options)
    context = dataset.context
    interval = options.get("interval")
    names = {
        "crawl_options": options,
        "url": options.get("site_url") or "",
        "crawl_type": (options.get("scrape_options") or {}).get("type", "firecrawl"),
        "interval": interval,
        "next_crawl_at": format_time(context.now + INTERVALS.get(interval, DAY)),
        "pages": _generate_page_count(context, options),
    }
    run = jobs.start(dataset, "crawl", **names)
    _schedule_chunks(dataset, run, options)
    # The scenario creates the crawl, as one of the records of the job's run.
    crawls = (r.versions[0] for r in run.records if r.record_type.name == "crawl")
    if (crawl := next(crawls, None)) is None:
        raise RejectedRequest("Could not crawl site: the planned scenario crawls none")
    return Response(_render_crawl(crawl))


def _check_options(options: JsonObject) -> None:
    paths = options.get("include_paths") or ()
    if options.get("allow_external_links") and all(path == "*" for path in paths):
        raise RejectedRequest(
            "If allow_external_links is true, include_paths must contain at least one "
            "path that is not '*'"
        )


def _generate_page_count(context: RequestContext, options: JsonObject) -> int:
    limit = options.get("limit")
    maximum = MAX_PAGES if limit is None else max(0, min(int(limit), MAX_PAGES))
    return context.random.randint(min(maximum, 3), maximum)


def _schedule_chunks(dataset: Dataset, run: Run, options: JsonObject) -> None:
    """Store the chunks that a crawl uploads, visible from their page's event on."""
    if options.get("add_chunks_to_dataset") is False:
        return
    site = (options.get("site_url") or "").rstrip("/")
    for page, event in enumerate(jobs.iter_events(run, "chunks_uploaded"), 1):
        for chunk_id in event.data["chunk_ids"]:
            text = dataset.context.random.text("paragraph")
            payload = {
                "chunk_html": f"<p>{text}</p>",
                "link": f"{site}/page-{page}",
                "tag_set": options.get("tags"),
            }
            chunk = {**build_chunk(dataset, payload), "id": chunk_id}
            upsert_chunk(dataset, chunk, event.event_id)


def list_crawls(context: RequestContext) -> Response:
    """Return a page of the dataset's crawls, the newest first. O(crawls)."""
    dataset = resolve_dataset(context)
    crawls = list(dataset.iter_visible("crawls"))[::-1]
    page, limit = context.parameters.get("page"), context.parameters.get("limit")
    page = 1 if page is None else page
    limit = PAGE_SIZE if limit is None else limit
    return Response([_render_crawl(crawl) for crawl in slice_page(crawls, page, limit)])


def update_crawl(context: RequestContext) -> Response:
    """Replace a crawl by a new one with merged options."""
    dataset, body = resolve_dataset(context), context.body
    old = _find_crawl(dataset, body["crawl_id"].lower())
    new = {k: v for k, v in body["crawl_options"].items() if v is not None}
    options = {**old["crawl_options"], **new}
    # Checked before the first command, so a rejected request has no effect.
    _check_options(options)
    _stop_and_delete(dataset, old)
    return _start_crawl(dataset, options)


def delete_crawl(context: RequestContext) -> Response:
    """Delete a crawl and stop its job."""
    dataset, crawl_id = resolve_dataset(context), context.parameters["crawl_id"]
    _stop_and_delete(dataset, _find_crawl(dataset, crawl_id.lower()))
    return Response(None, 204)


def _find_crawl(dataset: Dataset, crawl_id: str) -> JsonObject:
    """Return a crawl by its id or its scrape id. O(crawls of the dataset).

    Raises ``NotFound``.
    """
    # The contract has the id; the real server compares the scrape id.
    for crawl in dataset.iter_visible("crawls"):
        if crawl_id in {crawl["id"], crawl["scrape_id"]}:
            return crawl
    raise NotFound("crawls", crawl_id)


def _stop_and_delete(dataset: Dataset, crawl: JsonObject) -> None:
    if job := crawl.get("job"):
        context = dataset.context
        context.world.apply(Interrupt(context.api, job, "cancelled"))
    dataset.delete("crawls", crawl["id"])


def _render_crawl(crawl: JsonObject) -> JsonObject:
    return {name: value for name, value in crawl.items() if name != "job"}
