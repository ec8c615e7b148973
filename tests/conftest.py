"""Fixtures that all tests share, and the rule that fast tests spawn no process."""

import atexit
import os
import shutil
import sys
import tempfile

import pytest
from hypothesis import settings

from soundstage.apis.registry import load_services
from soundstage.server.control import control_service
from soundstage.server.hosts import Worlds
from soundstage.world.world import World, WorldOptions
from support import effort
from support.client import Validators, in_process_client

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z

if "XDG_CACHE_HOME" not in os.environ:  # nothing is kept where the user's things are
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="soundstage-tests-")
    atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)


def pytest_configure(config):
    """Load the settings of Hypothesis before any test module is imported."""
    effort.THOROUGH = "not slow" not in config.option.markexpr
    settings.register_profile("local", effort.examples(100), deadline=None)
    settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
    settings.load_profile("ci" if os.environ.get("CI") else "local")


_fast_test: str | None = None


def _reject_process(event, _args):
    # An audit hook sees every way to start a process, in libraries too.
    if event == "subprocess.Popen" and _fast_test:
        msg = f"{_fast_test} starts a process: mark it with pytest.mark.slow"
        raise RuntimeError(msg)


sys.addaudithook(_reject_process)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    global _fast_test  # noqa: PLW0603 - an audit hook cannot be given arguments
    _fast_test = None if item.get_closest_marker("slow") else item.nodeid
    try:
        return (yield)
    finally:
        _fast_test = None


@pytest.fixture(scope="session")
def services():
    """Every API, loaded once."""
    return load_services()


@pytest.fixture(scope="session")
def judges():
    return Validators()


def world_of(services):
    """A world in which nothing moves, the same in every test."""
    fixtures = {name: service.fixture for name, service in services.items()}
    return World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=0))


@pytest.fixture
def world(services):
    """A world of the test's own."""
    return world_of(services)


@pytest.fixture(scope="session")
def still(services):
    """A world that nobody changes."""
    return world_of(services)


@pytest.fixture(scope="session")
def client(services, still, judges):
    """A client of the whole server, for reading; openapi-core judges what it sees."""
    with in_process_client(services, still, judges) as client:
        yield client


@pytest.fixture(scope="session")
def writer(services, judges):
    """The same, of a world that anybody may change: nothing in it can be relied on."""
    with in_process_client(services, world_of(services), judges) as client:
        yield client


@pytest.fixture(scope="session")
def operations(services):
    """Every operation by its API and id, with the service that has it."""
    every = {**services, "soundstage": control_service(Worlds(services, WorldOptions(start_at=0)))}
    return {
        (service.name, name): (service, operation)
        for service in every.values()
        for name, operation in service.contract.operations.items()
    }
