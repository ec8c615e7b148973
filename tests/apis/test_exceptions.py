"""tests/coverage.yaml: what our own tests cannot exercise, with reasons that hold."""

from pathlib import Path

from soundstage.exchange.coverage import Coverage
from soundstage.tools.coverage.exceptions import load_exemptions
from soundstage.tools.coverage.figures import compute_figures

FILE = Path(__file__).parents[1] / "coverage.yaml"


def test_no_exception_of_our_own_is_for_nothing(services):
    contracts = [service.contract for service in services.values()]
    figures = compute_figures(
        Coverage().summarize(contracts), services, load_exemptions(FILE)
    )
    assert figures.stale == ()
