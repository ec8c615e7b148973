"""The exemptions of tests/coverage.yaml are all needed."""

from pathlib import Path

from soundstage.exchange.coverage import Coverage
from soundstage.tools.coverage.exceptions import load_exemptions
from soundstage.tools.coverage.figures import compute_figures

FILE = Path(__file__).parents[1] / "coverage.yaml"


def test_no_exemption_is_stale(services):
    contracts = [service.contract for service in services.values()]
    figures = compute_figures(Coverage().summarize(contracts), services, load_exemptions(FILE))
    assert figures.stale == ()
