"""What is fuzzed: a mock of its own, a server that runs, a document of one's own."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from soundstage import vendored_files
from soundstage.apis.registry import Service, list_api_names, load_api, load_service
from soundstage.openapi.contract import load_contract
from soundstage.openapi.document import load
from soundstage.server.background import BackgroundServer
from soundstage.server.control import CONTROL_API as CONTROL
from soundstage.server.control import CONTROL_PREFIX
from soundstage.tools.fuzz.auto_advance import AutoAdvancingWaiters
from soundstage.tools.fuzz.sample_values import (
    collect_control_values,
    collect_sample_values,
)
from soundstage.types import Document
from soundstage.world.world import Opening


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and the document that it is held to.

    ``values`` are known ones, by parameter. ``still`` says that nothing changes there
    unless somebody asks for it.
    """

    name: str
    document: Document
    url: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, list[str]] = field(default_factory=dict)
    is_static: bool = False
    is_mock: bool = False

    @property
    def folder_name(self) -> str:
        """What a folder of its reports is called."""
        return Path(self.name).stem


@contextmanager
def start_mock(
    name: str, world_options: Opening, fixtures: Iterable[Path]
) -> Iterator[Target]:
    """A mock of one API (or the control API) that nobody else knows of.

    Raises ``Unknown`` and ``DocumentError``.
    """
    control = name == CONTROL
    server = BackgroundServer(select_apis(name), fixtures, world_options)
    # Requests that are no HTTP are a part of the matter.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server.call(lambda: _enable_auto_advance(server))
    try:
        url = f"{server.url}/{CONTROL_PREFIX}" if control else server.url
        secrets = {} if control else select_secrets(server.worlds.services[name])
        yield Target(
            name=name,
            document=load_api_document(name),
            url=url,
            secrets=secrets,
            values=server.call(lambda: _collect_values(server, name)),
            is_static=world_options.speed == 0
            and not control,  # where the clock can be turned
            is_mock=True,
        )
    finally:
        server.stop()


def select_apis(name: str) -> list[str]:
    """What the mock serves. Below the control API: what does nothing by itself.

    A clock that is turned by a month is else a month's work, far too often.
    """
    if name != CONTROL:
        return [name]
    return [one for one in list_api_names() if load_api(one).schedule is None]


def _enable_auto_advance(server: BackgroundServer) -> None:
    """Let nobody wait for ever in a world that stands still."""
    hosted = server.worlds.default
    hosted.waiters = AutoAdvancingWaiters(hosted.world)


def _collect_values(server: BackgroundServer, name: str) -> dict[str, list[str]]:
    """In the server's own thread."""
    services, world = server.worlds.services, server.worlds.default.world
    if name == CONTROL:
        return collect_control_values(services.values(), world)
    return collect_sample_values(services[name], world)


def create_api_target(name: str, url: str) -> Target:
    """A server that runs somewhere, held to a vendored contract. Raises as ``mock``."""
    secrets = {} if name == CONTROL else select_secrets(load_service(load_api(name)))
    return Target(name, load_api_document(name), url, secrets)


def load_api_document(name: str) -> Document:
    """The effective document of an API. Raises ``Unknown`` and ``DocumentError``."""
    if name != CONTROL:
        name = load_api(name).name
    return load_contract(name, vendored_files.specs() / name).document


def create_document_target(path: Path, url: str) -> Target:
    """A document that somebody brought. Raises ``DocumentError``."""
    return Target(str(path), load(path).document, url)


def select_secrets(service: Service) -> dict[str, str]:
    """The first secret that the fixture has for each security scheme."""
    components = service.contract.document.get("components", {})
    schemes = components.get("securitySchemes", {})
    found: dict[str, str] = {}
    for credential in service.fixture.credentials:
        for name, secret in credential.items():
            if name in schemes:
                found.setdefault(name, secret)
    return found
