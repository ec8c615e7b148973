"""Algolia Ingestion: tasks and their parts, runs and their events."""

from typing import Final

from soundstage.apis.algolia_ingestion import connectors, tasks
from soundstage.apis.algolia_ingestion.connectors import (
    AUTHENTICATIONS,
    DESTINATIONS,
    SOURCES,
    TRANSFORMATIONS,
)
from soundstage.apis.algolia_ingestion.errors import render_error
from soundstage.apis.algolia_ingestion.model import API_NAME, MODEL
from soundstage.apis.algolia_ingestion.observability import (
    list_events,
    list_runs,
    retrieve_event,
    retrieve_run,
)
from soundstage.apis.algolia_ingestion.push import push_to_index, push_to_task
from soundstage.apis.algolia_ingestion.resources import (
    make_create_handler,
    make_delete_handler,
    make_list_handler,
    make_retrieve_handler,
    make_update_handler,
)
from soundstage.apis.algolia_ingestion.schedule import SCHEDULE
from soundstage.apis.algolia_ingestion.start_runs import run_source, run_task
from soundstage.apis.algolia_ingestion.tasks import TASKS
from soundstage.apis.api import Api, ExampleRequest, Handler

HANDLERS: Final[dict[str, Handler]] = {
    "getRun": retrieve_run,
    "listRuns": list_runs,
    "listEvents": list_events,
    "getEvent": retrieve_event,
    "runTask": run_task,
    "runSource": run_source,
    "pushTask": push_to_task,
    "push": push_to_index,
    "createTask": make_create_handler(TASKS),
    "getTask": make_retrieve_handler(TASKS),
    "listTasks": make_list_handler(TASKS),
    "updateTask": make_update_handler(TASKS, tasks.update_task),
    "replaceTask": make_update_handler(TASKS, tasks.replace_task),
    "enableTask": make_update_handler(TASKS, tasks.enable_task),
    "disableTask": make_update_handler(TASKS, tasks.disable_task),
    "deleteTask": make_delete_handler(TASKS),
    "createAuthentication": make_create_handler(AUTHENTICATIONS),
    "getAuthentication": make_retrieve_handler(AUTHENTICATIONS),
    "listAuthentications": make_list_handler(AUTHENTICATIONS),
    "updateAuthentication": make_update_handler(AUTHENTICATIONS, connectors.update_authentication),
    "deleteAuthentication": make_delete_handler(AUTHENTICATIONS),
    "createSource": make_create_handler(SOURCES),
    "getSource": make_retrieve_handler(SOURCES),
    "listSources": make_list_handler(SOURCES),
    "updateSource": make_update_handler(SOURCES, connectors.update_connector),
    "deleteSource": make_delete_handler(SOURCES),
    "createTransformation": make_create_handler(TRANSFORMATIONS),
    "getTransformation": make_retrieve_handler(TRANSFORMATIONS),
    "listTransformations": make_list_handler(TRANSFORMATIONS),
    "updateTransformation": make_update_handler(TRANSFORMATIONS, connectors.replace_transformation),
    "deleteTransformation": make_delete_handler(TRANSFORMATIONS),
    "createDestination": make_create_handler(DESTINATIONS),
    "getDestination": make_retrieve_handler(DESTINATIONS),
    "listDestinations": make_list_handler(DESTINATIONS),
    "updateDestination": make_update_handler(DESTINATIONS, connectors.update_connector),
    "deleteDestination": make_delete_handler(DESTINATIONS),
}

API: Final = Api(
    name=API_NAME,
    title="Algolia Ingestion",
    model=MODEL,
    handlers=HANDLERS,
    render_error=render_error,
    example_request=ExampleRequest(
        "GET", "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f/events?itemsPerPage=3"
    ),
    schedule=SCHEDULE,
)
