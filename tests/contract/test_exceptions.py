"""tests/coverage.yaml: what our own tests cannot exercise, with reasons that hold."""

from pathlib import Path

from soundstage.server.journal.coverage import Coverage
from soundstage.testing.coverage.exceptions import load_exceptions
from soundstage.testing.coverage.figures import figures_of

FILE = Path(__file__).parents[1] / "coverage.yaml"


def test_no_exception_of_our_own_is_for_nothing(services):
    contracts = [service.contract for service in services.values()]
    figures = figures_of(Coverage().of(contracts), services, load_exceptions(FILE))
    assert figures.stale == ()
