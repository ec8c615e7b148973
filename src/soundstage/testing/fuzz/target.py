"""What is fuzzed: a mock of its own, a server that runs, a document of one's own."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from soundstage import resources
from soundstage.apis.service import Service, api, load_service, names
from soundstage.contract.contract import load_contract
from soundstage.contract.document import load
from soundstage.server.control import NAME as CONTROL
from soundstage.server.control import PREFIX
from soundstage.testing.fuzz.hurried import Hurried
from soundstage.testing.fuzz.known import known_of_control, known_values
from soundstage.testing.server import Server
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
    still: bool = False
    own: bool = False

    @property
    def folder(self) -> str:
        """What a folder of its reports is called."""
        return Path(self.name).stem


@contextmanager
def mock(name: str, opening: Opening, fixtures: Iterable[Path]) -> Iterator[Target]:
    """A mock of one API (or the control API) that nobody else knows of.

    Raises ``Unknown`` and ``DocumentError``.
    """
    control = name == CONTROL
    server = Server(served(name), fixtures, opening)
    # Requests that are no HTTP are a part of the matter.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server.do(lambda: _hurry(server))
    try:
        url = f"{server.url}/{PREFIX}" if control else server.url
        secrets = {} if control else secrets_of(server.worlds.services[name])
        yield Target(
            name=name,
            document=described(name),
            url=url,
            secrets=secrets,
            values=server.do(lambda: _values(server, name)),
            still=opening.speed == 0 and not control,  # where the clock can be turned
            own=True,
        )
    finally:
        server.stop()


def served(name: str) -> list[str]:
    """What the mock serves. Below the control API: what does nothing by itself.

    A clock that is turned by a month is else a month's work, far too often.
    """
    if name != CONTROL:
        return [name]
    return [one for one in names() if api(one).schedule is None]


def _hurry(server: Server) -> None:
    """Let nobody wait for ever in a world that stands still."""
    hosted = server.worlds.default
    hosted.lobby = Hurried(hosted.world)


def _values(server: Server, name: str) -> dict[str, list[str]]:
    """In the server's own thread."""
    services, world = server.worlds.services, server.worlds.default.world
    if name == CONTROL:
        return known_of_control(services.values(), world)
    return known_values(services[name], world)


def running(name: str, url: str) -> Target:
    """A server that runs somewhere, held to a vendored contract. Raises as ``mock``."""
    secrets = {} if name == CONTROL else secrets_of(load_service(api(name)))
    return Target(name, described(name), url, secrets)


def described(name: str) -> Document:
    """The effective document of an API. Raises ``Unknown`` and ``DocumentError``."""
    if name != CONTROL:
        name = api(name).name
    return load_contract(name, resources.specs() / name).document


def of_file(path: Path, url: str) -> Target:
    """A document that somebody brought. Raises ``DocumentError``."""
    return Target(str(path), load(path).document, url)


def secrets_of(service: Service) -> dict[str, str]:
    """The first secret that the fixture has for each security scheme."""
    components = service.contract.document.get("components", {})
    schemes = components.get("securitySchemes", {})
    found: dict[str, str] = {}
    for credential in service.fixture.credentials:
        for name, secret in credential.items():
            if name in schemes:
                found.setdefault(name, secret)
    return found
