"""Tasks: records that run; how they are told, enabled and disabled."""

from collections.abc import Iterator
from typing import Final

from soundstage.apis.algolia_ingestion.application import own
from soundstage.apis.algolia_ingestion.lists import field
from soundstage.apis.algolia_ingestion.resources import Change, Resource, changer, keep
from soundstage.apis.algolia_ingestion.schedule import check_cron, next_tick
from soundstage.apis.algolia_ingestion.switch import is_enabled
from soundstage.apis.algolia_ingestion.vocabulary import VOCABULARY
from soundstage.apis.api import Answer, Call, Handler
from soundstage.types import Document, Json
from soundstage.world.clock import rfc3339
