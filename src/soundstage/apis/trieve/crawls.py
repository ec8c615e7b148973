"""Crawls of web sites, whose pages become chunks one after another."""

from collections.abc import Mapping

from soundstage.apis.api import Answer, Call, NotFound
from soundstage.apis.trieve import jobs, store
from soundstage.apis.trieve.access import dataset_of
from soundstage.apis.trieve.chunks import chunk_of, land
from soundstage.apis.trieve.refusal import BadRequest
from soundstage.apis.trieve.vocabulary import plain_time
from soundstage.types import Document
from soundstage.world.clock import DAY
from soundstage.world.log import Interrupt
from soundstage.world.page import page_of
from soundstage.world.timeline import Run

PAGE_SIZE = 10

INTERVALS: Mapping[str | None, int] = {
    "daily": DAY,
    "weekly": 7 * DAY,
    "monthly": 30 * DAY,
}

MOST_PAGES = 8
"""How many pages a site has at most, where a request sets no lower limit."""


def create_crawl(call: Call) -> Answer:
    """Start a crawl, whose request moves on as its job does."""
    return _crawl(call, dataset_of(call), call.body["crawl_options"])


def _crawl(call: Call, dataset: Document, options: Document) -> Answer:
    _check(options)
    interval = options.get("interval")
    names = {
        "crawl_options": options,
        "url": options.get("site_url") or "",
        "crawl_type": (options.get("scrape_options") or {}).get("type", "firecrawl"),
        "interval": interval,
        "next_crawl_at": plain_time(call.now + INTERVALS.get(interval, DAY)),
        "pages": _pages(call, options),
    }
    run = jobs.start(call, dataset, "crawl", **names)
    _land_chunks(call, dataset, run, options)
    first = (r.documents[0] for r in run.records if r.kind.name == "crawl")
    if (request := next(first, None)) is None:
        raise BadRequest("Could not crawl site: the planned scenario crawls none")
    return Answer(_shown(request))


def _check(options: Document) -> None:
    paths = options.get("include_paths") or ()
    if options.get("allow_external_links") and all(path == "*" for path in paths):
        raise BadRequest(
            "If allow_external_links is true, include_paths must contain at least one "
            "path that is not '*'"
        )


def _pages(call: Call, options: Document) -> int:
    limit = options.get("limit")
    most = MOST_PAGES if limit is None else max(0, min(int(limit), MOST_PAGES))
    return call.chance.whole(min(most, 3), most)


def _land_chunks(call: Call, dataset: Document, run: Run, options: Document) -> None:
    """Let there be the chunks that the job's events will tell of, page by page."""
    if options.get("add_chunks_to_dataset") is False:
        return
    site = (options.get("site_url") or "").rstrip("/")
    for page, each in enumerate(jobs.told(run, "chunks_uploaded"), 1):
        for chunk_id in each.data["chunk_ids"]:
            text = call.chance.text("paragraph")
            payload = {
                "chunk_html": f"<p>{text}</p>",
                "link": f"{site}/page-{page}",
                "tag_set": options.get("tags"),
            }
            chunk = {**chunk_of(call, dataset, payload), "id": chunk_id}
            land(call, chunk, each.event)


def list_crawls(call: Call) -> Answer:
    """A page of the dataset's crawls, the newest first. O(crawls of the dataset)."""
    found = list(store.there(call, "crawls", dataset_of(call)))[::-1]
    page, limit = call.parameters.get("page"), call.parameters.get("limit")
    page = 1 if page is None else page
    limit = PAGE_SIZE if limit is None else limit
    return Answer([_shown(crawl) for crawl in page_of(found, page, limit)])


def update_crawl(call: Call) -> Answer:
    """Crawl again with merged options; a new request takes the old one's place."""
    dataset, given = dataset_of(call), call.body
    old = _found(call, dataset, given["crawl_id"].lower())
    new = {k: v for k, v in given["crawl_options"].items() if v is not None}
    options = {**old["crawl_options"], **new}
    _check(options)
    _stopped(call, old)
    return _crawl(call, dataset, options)


def delete_crawl(call: Call) -> Answer:
    """Forget a crawl's request, and stop its job."""
    _stopped(call, _found(call, dataset_of(call), call.parameters["crawl_id"].lower()))
    return Answer(None, 204)


def _found(call: Call, dataset: Document, crawl_id: str) -> Document:
    """A crawl by its id or its scrape id, by which the real server goes.

    O(crawls of the dataset). Raises ``NotFound``.
    """
    for crawl in store.there(call, "crawls", dataset):
        if crawl_id in {crawl["id"], crawl["scrape_id"]}:
            return crawl
    raise NotFound("crawls", crawl_id)


def _stopped(call: Call, crawl: Document) -> None:
    if job := crawl.get("job"):
        call.world.apply(Interrupt(call.api, job, "cancelled"))
    store.delete(call, "crawls", crawl["id"])


def _shown(crawl: Document) -> Document:
    return {name: value for name, value in crawl.items() if name != "job"}
