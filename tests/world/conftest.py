"""Fixtures of the tests of worlds."""

from dataclasses import replace

import pytest
from api_worlds import ApiWorlds

from soundstage.apis.registry import list_api_names


@pytest.fixture(scope="session", params=list_api_names())
def api_worlds(request, services):
    """Each API in turn, with a short past so that worlds are cheap."""
    whole = services[request.param].fixture
    return ApiWorlds(replace(whole, history=whole.history[:2]))
