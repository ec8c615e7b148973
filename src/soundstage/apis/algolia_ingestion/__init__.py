"""Algolia Ingestion: tasks, what they are made of, their runs, and the runs' events."""

from typing import Final

from soundstage.apis.algolia_ingestion import connectors, tasks
from soundstage.apis.algolia_ingestion.connectors import (
    AUTHENTICATIONS,
    DESTINATIONS,
    SOURCES,
    TRANSFORMATIONS,
)
from soundstage.apis.algolia_ingestion.observability import (
    list_events,
    list_runs,
    retrieve_event,
    retrieve_run,
)
from soundstage.apis.algolia_ingestion.pushing import push_to_index, push_to_task
from soundstage.apis.algolia_ingestion.refusals import problem
from soundstage.apis.algolia_ingestion.resources import (
    changer,
    creator,
    deleter,
    lister,
    reader,
)
from soundstage.apis.algolia_ingestion.running import API_NAME, run_source, run_task
from soundstage.apis.algolia_ingestion.schedule import SCHEDULE
from soundstage.apis.algolia_ingestion.tasks import TASKS
from soundstage.apis.algolia_ingestion.vocabulary import VOCABULARY
from soundstage.apis.api import Api, Handler, Sample

HANDLERS: Final[dict[str, Handler]] = {
    "getRun": retrieve_run,
    "listRuns": list_runs,
    "listEvents": list_events,
    "getEvent": retrieve_event,
    "runTask": run_task,
    "runSource": run_source,
    "pushTask": push_to_task,
    "push": push_to_index,
    "createTask": creator(TASKS),
    "getTask": reader(TASKS),
    "listTasks": lister(TASKS),
    "updateTask": changer(TASKS, tasks.revised),
    "replaceTask": changer(TASKS, tasks.rewritten),
    "enableTask": changer(TASKS, tasks.enabled),
    "disableTask": changer(TASKS, tasks.disabled),
    "deleteTask": deleter(TASKS),
    "createAuthentication": creator(AUTHENTICATIONS),
    "getAuthentication": reader(AUTHENTICATIONS),
    "listAuthentications": lister(AUTHENTICATIONS),
    "updateAuthentication": changer(AUTHENTICATIONS, connectors.revised_authentication),
    "deleteAuthentication": deleter(AUTHENTICATIONS),
    "createSource": creator(SOURCES),
    "getSource": reader(SOURCES),
    "listSources": lister(SOURCES),
    "updateSource": changer(SOURCES, connectors.revised),
    "deleteSource": deleter(SOURCES),
    "createTransformation": creator(TRANSFORMATIONS),
    "getTransformation": reader(TRANSFORMATIONS),
    "listTransformations": lister(TRANSFORMATIONS),
    "updateTransformation": changer(TRANSFORMATIONS, connectors.rewritten),
    "deleteTransformation": deleter(TRANSFORMATIONS),
    "createDestination": creator(DESTINATIONS),
    "getDestination": reader(DESTINATIONS),
    "listDestinations": lister(DESTINATIONS),
    "updateDestination": changer(DESTINATIONS, connectors.revised),
    "deleteDestination": deleter(DESTINATIONS),
}

API: Final = Api(
    name=API_NAME,
    title="Algolia Ingestion",
    vocabulary=VOCABULARY,
    handlers=HANDLERS,
    problem=problem,
    sample=Sample(
        "GET", "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f/events?itemsPerPage=3"
    ),
    schedule=SCHEDULE,
)
