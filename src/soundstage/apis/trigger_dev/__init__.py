"""Trigger.dev v3: trigger tasks, and follow their runs."""

from soundstage.apis.api import Api, ExampleRequest
from soundstage.apis.trigger_dev import batches, realtime, results, run_lists, runs, spans, trigger
from soundstage.apis.trigger_dev.errors import build_rate_limit_headers, render_error
from soundstage.apis.trigger_dev.model import MODEL

API = Api(
    name="trigger-dev",
    title="Trigger.dev v3",
    model=MODEL,
    handlers={
        "trigger_task_v1": trigger.trigger_task,
        "batch_trigger_task_v1": batches.trigger_tasks,
        "batch_trigger_task_by_id_v1": batches.trigger_task_batch,
        "create_batch_v3": batches.create_batch,
        "stream_batch_items_v3": batches.add_batch_items,
        "retrieve_batch_v1": batches.retrieve_batch,
        "retrieve_batch_v2": batches.retrieve_batch_for_sdk,
        "get_batch_results_v1": batches.list_batch_results,
        "retrieve_run_v1": runs.retrieve_run,
        "list_runs_v1": run_lists.list_runs,
        "cancel_run_v1": runs.cancel_run,
        "replay_run_v1": trigger.replay_run,
        "reschedule_run_v1": runs.reschedule_run,
        "add_run_tags_v1": runs.add_tags,
        "update_run_metadata_v1": runs.update_metadata,
        "get_run_result_v1": results.get_run_result,
        "get_run_events_v1": spans.list_run_events,
        "get_run_trace_v1": spans.get_run_trace,
        "subscribe_to_run_v1": realtime.subscribe_to_run,
    },
    render_error=render_error,
    example_request=ExampleRequest("GET", "/api/v1/runs/run_1234/events"),
    rate_limit_headers=build_rate_limit_headers,
    state_aliases={"run.status": {"WAITING": "FROZEN"}},
)
