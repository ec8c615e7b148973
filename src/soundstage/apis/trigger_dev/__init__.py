"""Trigger.dev v3: tasks are triggered, their runs followed."""

from soundstage.apis.api import Api, Sample
from soundstage.apis.trigger_dev import (
    batches,
    listing,
    metadata,
    realtime,
    result,
    runs,
    spans,
    trigger,
)
from soundstage.apis.trigger_dev.refusals import problem, rate_limit
from soundstage.apis.trigger_dev.vocabulary import VOCABULARY

API = Api(
    name="trigger-dev",
    title="Trigger.dev v3",
    vocabulary=VOCABULARY,
    handlers={
        "trigger_task_v1": trigger.trigger_task,
        "batch_trigger_task_v1": batches.trigger_tasks,
        "batch_trigger_task_by_id_v1": batches.trigger_task_often,
        "create_batch_v3": batches.create_batch,
        "stream_batch_items_v3": batches.fill_batch,
        "retrieve_batch_v1": batches.retrieve_batch,
        "retrieve_batch_v2": batches.retrieve_batch_for_sdk,
        "get_batch_results_v1": batches.list_batch_results,
        "retrieve_run_v1": runs.retrieve_run,
        "list_runs_v1": listing.list_runs,
        "cancel_run_v1": runs.cancel_run,
        "replay_run_v1": trigger.replay_run,
        "reschedule_run_v1": runs.reschedule_run,
        "add_run_tags_v1": runs.add_tags,
        "update_run_metadata_v1": metadata.update_metadata,
        "get_run_result_v1": result.get_run_result,
        "get_run_events_v1": spans.list_run_events,
        "get_run_trace_v1": spans.get_run_trace,
        "subscribe_to_run_v1": realtime.subscribe_to_run,
    },
    problem=problem,
    sample=Sample("GET", "/api/v1/runs/run_1234/events"),
    rate_limit=rate_limit,
    synonyms={"run.status": {"WAITING": "FROZEN"}},
)
