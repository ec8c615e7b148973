"""What tests of the world may ask for."""

from dataclasses import replace

import pytest
from stage import Stage

from soundstage.apis.registry import list_api_names


@pytest.fixture(scope="session", params=list_api_names())
def stage(request, services):
    """Each API in turn, with a short past so that worlds are cheap."""
    whole = services[request.param].fixture
    return Stage(replace(whole, history=whole.history[:2]))
