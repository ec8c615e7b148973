"""The pytest plugin: the fixture and the marker ``soundstage``.

It is loaded in every test session of an environment where Soundstage is installed, so
that it imports the rest of the package only when a fixture is used.
"""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pytest

from soundstage.pytest_plugin.coverage import CoverageSession, add_options, is_enabled

if TYPE_CHECKING:
    from soundstage import Soundstage
    from soundstage.server.background import ServerPool

HANDLE_KEY: pytest.StashKey["Soundstage"] = pytest.StashKey()
"""The handle of a test, until its teardown."""

FAILED_KEY: pytest.StashKey[bool] = pytest.StashKey()
"""Set if the test failed by itself; its violations are then not reported as well."""

SECTION_TITLE = "soundstage world"

MARKER_OPTIONS = ("apis", "fixtures", "now", "seed", "speed", "violations")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of coverage."""
    add_options(parser.getgroup("soundstage"))


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the coverage plugin if an option enables it."""
    if is_enabled(config):
        config.pluginmanager.register(CoverageSession(config), "soundstage-coverage")
    config.addinivalue_line(
        "markers",
        "soundstage(now=, speed=, seed=, apis=, fixtures=, violations='allow'): "
        "the initial state of the world of the fixture `soundstage`.",
    )


@pytest.fixture(scope="session")
def soundstage_server(request: pytest.FixtureRequest) -> Iterator["ServerPool"]:
    """The servers of this session, one for each set of APIs and fixtures."""
    from soundstage import Soundstage  # noqa: F401 - suppresses warnings of Connexion
    from soundstage.server.background import ServerPool

    servers = ServerPool()
    yield servers
    if is_enabled(request.config):
        from soundstage.tools.coverage.collector import COLLECTOR

        COLLECTOR.add_servers(servers)
    servers.stop()


@pytest.fixture
def soundstage(
    request: pytest.FixtureRequest, soundstage_server: "ServerPool"
) -> Iterator["Soundstage"]:
    """A world for this test; its clock is frozen at 2026-01-01T00:00:00Z."""
    from soundstage import Soundstage

    handle = Soundstage(**_read_marker_options(request.node), servers=soundstage_server)
    request.node.stash[HANDLE_KEY] = handle
    try:
        yield handle
        if FAILED_KEY not in request.node.stash:
            _fail_on_violations(handle)  # by other fixtures after the test
    finally:
        handle.close()


def _read_marker_options(node: pytest.Item) -> dict[str, Any]:
    """Merge the options of the test's markers; the nearest marker has priority."""
    options: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("soundstage"))):
        unknown = marker.kwargs.keys() - {*MARKER_OPTIONS}
        if marker.args or unknown:
            wrong = ", ".join(map(str, (*marker.args, *sorted(unknown))))
            names = ", ".join(MARKER_OPTIONS)
            msg = f"@pytest.mark.soundstage takes {names}, not: {wrong}"
            raise pytest.UsageError(msg)
        options |= marker.kwargs
    return options


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail the test if its client violated a contract unexpectedly."""
    result = yield
    # Not reached if the test raised: its own error is more useful than a violation.
    if handle := item.stash.get(HANDLE_KEY, None):
        _fail_on_violations(handle)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add a section about the world to the report of a failed test."""
    report = yield
    handle = item.stash.get(HANDLE_KEY, None)
    if call.when == "call" and call.excinfo:
        item.stash[FAILED_KEY] = True
    if handle and report.failed:
        from soundstage.pytest_plugin.failure_report import describe_failure

        report.sections.append((SECTION_TITLE, describe_failure(handle, _export_path(item))))
    if call.when == "teardown" and handle:
        del item.stash[HANDLE_KEY]
    return report


def _fail_on_violations(handle: "Soundstage") -> None:
    from soundstage import UnexpectedViolation

    __tracebackhide__ = True
    try:
        handle.check()
    except UnexpectedViolation as error:
        text = str(error)
    else:
        return
    # Outside the except block, so that no traceback of the plugin is printed.
    pytest.fail(text, pytrace=False)


def _export_path(item: pytest.Item) -> Path:
    """Return the file to export the world to: in pytest's cache, named by the test."""
    # The end of a node ID is the specific part; file names have at most 255 bytes.
    name = re.sub(r"[^\w.-]+", "-", item.nodeid).strip("-")[-120:]
    cache = getattr(item.config, "cache", None)
    folder = cache.mkdir("soundstage") if cache else Path(mkdtemp(prefix="soundstage-"))
    path: Path = folder / f"{name}.json"
    here = item.config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path
