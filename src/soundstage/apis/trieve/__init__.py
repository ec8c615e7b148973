"""Trieve: datasets, their chunks, groups, files and crawls, and the events of jobs."""

from soundstage.apis.api import Api, ExampleRequest, Handler, RequestContext, Response
from soundstage.apis.trieve import chunks, crawls, datasets, events, files, groups, tables
from soundstage.apis.trieve.access import require_role
from soundstage.apis.trieve.errors import render_error
from soundstage.apis.trieve.model import MODEL

__all__ = ["API", "MODEL"]


def check_health(_context: RequestContext) -> Response:
    """Report that the server is up."""
    return Response(None)


HANDLERS_BY_ROLE: dict[str, dict[str, Handler]] = {
    "readonly": {
        "get_events": events.list_events,
        "get_chunk_by_id": chunks.get_chunk,
        "get_chunk_by_tracking_id": chunks.get_chunk,
        "get_chunk_group": groups.get_chunk_group,
        "get_file_handler": files.get_file,
    },
    "admin": {
        "get_dataset": datasets.get_dataset,
        "get_dataset_by_tracking_id": datasets.get_dataset_by_tracking_id,
        "get_datasets_from_organization": datasets.list_datasets,
        "create_chunk": chunks.create_chunk,
        "update_chunk": chunks.update_chunk,
        "update_chunk_by_tracking_id": chunks.update_chunk_by_tracking_id,
        "delete_chunk": chunks.delete_chunk,
        "delete_chunk_by_tracking_id": chunks.delete_chunk,
        "bulk_delete_chunk": chunks.bulk_delete_chunk,
        "create_chunk_group": groups.create_chunk_group,
        "update_chunk_group": groups.update_chunk_group,
        "delete_chunk_group": groups.delete_chunk_group,
        "add_chunk_to_group": groups.add_chunk_to_group,
        "remove_chunk_from_group": groups.remove_chunk_from_group,
        "upload_file_handler": files.upload_file,
        "delete_file_handler": files.delete_file,
        "create_presigned_url_for_csv_jsonl": tables.create_upload_url,
        "create_crawl": crawls.create_crawl,
        "get_crawl_requests_for_dataset": crawls.list_crawls,
        "update_crawl_request": crawls.update_crawl,
        "delete_crawl_request": crawls.delete_crawl,
    },
    "owner": {
        "create_dataset": datasets.create_dataset,
        "delete_dataset": datasets.delete_dataset,
        "delete_dataset_by_tracking_id": datasets.delete_dataset_by_tracking_id,
        "clear_dataset": datasets.clear_dataset,
    },
}
"""Handlers by the minimum role, which is the scope in the vendor's document."""

API = Api(
    name="trieve",
    title="Trieve",
    model=MODEL,
    handlers={
        # These two need no API key; a presigned URL is its own credential.
        "health_check": check_health,
        "put_csv_or_jsonl": tables.upload_table,
        **{
            name: require_role(role, handler)
            for role, handlers in HANDLERS_BY_ROLE.items()
            for name, handler in handlers.items()
        },
    },
    render_error=render_error,
    example_request=ExampleRequest(
        "POST",
        "/api/dataset/events",
        {"page_size": 3},
        (("TR-Dataset", "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"),),
    ),
)
