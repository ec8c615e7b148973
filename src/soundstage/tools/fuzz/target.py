"""Targets of a campaign: a temporary mock, a vendored API or a document at a URL."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from soundstage import vendored_files
from soundstage.apis.registry import Service, list_api_names, load_api, load_service
from soundstage.openapi.document import load_document
from soundstage.openapi.specs import open_spec
from soundstage.server.background import BackgroundServer
from soundstage.server.control import CONTROL_API as CONTROL
from soundstage.server.control import CONTROL_PREFIX
from soundstage.tools.fuzz.auto_advance import AutoAdvancingWaiters
from soundstage.tools.fuzz.sample_values import collect_control_values, collect_sample_values
from soundstage.types import JsonObject
from soundstage.world.world import WorldOptions


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and the document by which its responses are checked.

    ``secrets`` are by security scheme, ``values`` known values by parameter.
    ``is_static`` is true if the data changes only through requests.
    """

    name: str
    document: JsonObject
    url: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, list[str]] = field(default_factory=dict)
    is_static: bool = False
    is_mock: bool = False

    @property
    def folder_name(self) -> str:
        """The name of the folder for its reports."""
        return Path(self.name).stem


@contextmanager
def start_mock(
    name: str, world_options: WorldOptions, fixtures: Iterable[Path]
) -> Iterator[Target]:
    """Start a temporary mock of one API (or of the control API).

    Raises ``Unknown`` and ``DocumentError``.
    """
    is_control = name == CONTROL
    server = BackgroundServer(select_apis(name), fixtures, world_options)
    # Malformed HTTP is part of a campaign: uvicorn would warn of every request.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server.call(lambda: _enable_auto_advance(server))
    try:
        url = f"{server.url}/{CONTROL_PREFIX}" if is_control else server.url
        secrets = {} if is_control else select_secrets(server.worlds.services[name])
        yield Target(
            name=name,
            document=load_api_document(name),
            url=url,
            secrets=secrets,
            values=server.call(lambda: _collect_values(server, name)),
            # Requests to the control API advance the clock.
            is_static=world_options.speed == 0 and not is_control,
            is_mock=True,
        )
    finally:
        server.stop()


def select_apis(name: str) -> list[str]:
    """Select the APIs that a mock serves; for the control API, those without schedule.

    Advancing the clock by a month would otherwise start the runs of a month, for each
    such request.
    """
    if name != CONTROL:
        return [name]
    return [api for api in list_api_names() if load_api(api).schedule is None]


def _enable_auto_advance(server: BackgroundServer) -> None:
    """Replace the waiters: in a frozen world, requests would wait forever."""
    host = server.worlds.default
    host.waiters = AutoAdvancingWaiters(host.world)


def _collect_values(server: BackgroundServer, name: str) -> dict[str, list[str]]:
    # Must be called in the thread of the server, which owns the world.
    services, world = server.worlds.services, server.worlds.default.world
    if name == CONTROL:
        return collect_control_values(services.values(), world)
    return collect_sample_values(services[name], world)


def create_api_target(name: str, url: str) -> Target:
    """Create a target: a URL and a vendored contract. Raises like ``start_mock``."""
    secrets = {} if name == CONTROL else select_secrets(load_service(load_api(name)))
    return Target(name, load_api_document(name), url, secrets)


def load_api_document(name: str) -> JsonObject:
    """Load the effective document of an API. Raises ``Unknown``, ``DocumentError``."""
    if name != CONTROL:
        name = load_api(name).name
    # A path, because a local folder of that name must not take precedence.
    return open_spec(str(vendored_files.specs() / name)).document


def create_document_target(path: Path, url: str) -> Target:
    """Create a target: a URL and a document file. Raises ``DocumentError``."""
    return Target(str(path), load_document(path).document, url)


def select_secrets(service: Service) -> dict[str, str]:
    """Select the first secret in the fixture for each security scheme."""
    components = service.contract.document.get("components", {})
    schemes = components.get("securitySchemes", {})
    secrets: dict[str, str] = {}
    for credential in service.fixture.credentials:
        for name, secret in credential.items():
            if name in schemes:
                secrets.setdefault(name, secret)
    return secrets
