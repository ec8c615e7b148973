"""Clients of the APIs, each in a world of the test's own."""

import pytest
from algolia_client import AlgoliaClient
from runwisp_client import RunWispClient
from trieve_client import trieve_client
from trigger_dev_client import TriggerDevClient

from support.client import in_process_client


@pytest.fixture
def trieve(services, world, judges):
    """A client of Trieve that owns an empty dataset."""
    with trieve_client(services, world, judges) as client:
        yield client


@pytest.fixture
def dev(services, world, judges):
    """A client of Trigger.dev's development environment."""
    with in_process_client(services, world, judges) as http:
        yield TriggerDevClient(http, world)


@pytest.fixture
def prod(dev):
    """A client of the production environment, in the same world."""
    return TriggerDevClient(dev.http, dev.world, "prod")


@pytest.fixture
def app(services, world, judges):
    """A client of an application of Algolia Ingestion."""
    with in_process_client(services, world, judges) as http:
        yield AlgoliaClient(http, world)


@pytest.fixture
def daemon(services, world, judges):
    """A client of a RunWisp daemon."""
    with in_process_client(services, world, judges) as http:
        yield RunWispClient(http, world)
