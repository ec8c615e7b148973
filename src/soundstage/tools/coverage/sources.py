"""Where coverage is had from: running servers, data files, HTTP Archives."""

from collections.abc import Callable, Iterable
from pathlib import Path

import httpx
import orjson

from soundstage.exchange.coverage import OperationCoverage
from soundstage.openapi.contract import Contract
from soundstage.tools.coverage.archive import ArchiveCoverage
from soundstage.tools.coverage.data import merge_operations, parse_coverage
from soundstage.types import Json


class CoverageSourceError(Exception):
    """Why coverage cannot be had from somewhere."""


class CoverageSources:
    """Gathers coverage; ``contracts`` gives those that archives are counted by.

    ``strays`` are requests in archives that are for no operation. All raise
    ``NoSource``.
    """

    def __init__(self, contracts: Callable[[], Iterable[Contract]]) -> None:
        self._contracts = contracts
        self._operations: list[OperationCoverage] = []
        self.unmatched: list[str] = []

    def merge(self) -> list[OperationCoverage]:
        """All that was gathered, each operation once."""
        return merge_operations(self._operations)

    def add_file(self, path: Path) -> None:
        """An archive, or what the plugin, the control API or a report has written."""
        try:
            document = orjson.loads(path.read_bytes())
        except OSError as error:
            raise CoverageSourceError(
                f"cannot read {path}: {error.strerror}"
            ) from error
        except orjson.JSONDecodeError as error:
            raise CoverageSourceError(f"{path} is not JSON: {error}") from error
        try:
            self._add_document(document)
        except ValueError as error:
            raise CoverageSourceError(f"{path}: {error}") from error

    def add_server(self, url: str, world: str | None, token: str | None) -> None:
        """A server that runs: one world of it, or all that it has and had."""
        control = f"{url.rstrip('/')}/_soundstage"
        headers = {"soundstage-token": token} if token else {}
        try:
            with httpx.Client(headers=headers, timeout=30) as client:
                if world:  # asking for its coverage would make it
                    _get_json(client, f"{control}/worlds/{world}")
                    control = f"{url.rstrip('/')}/~{world}/_soundstage"
                which = "this" if world else "all"
                found = _get_json(client, f"{control}/coverage?worlds={which}")
            self._operations += parse_coverage(found)
        except httpx.InvalidURL as error:
            raise CoverageSourceError(f"{url} is no URL: {error}") from error
        except httpx.HTTPError as error:
            msg = f"no soundstage answers at {url}: {error}; is `soundstage serve` up?"
            raise CoverageSourceError(msg) from error
        except ValueError as error:
            raise CoverageSourceError(f"{url}: {error}") from error

    def _add_document(self, document: Json) -> None:
        if not isinstance(document, dict):
            raise ValueError("is neither an HTTP Archive nor coverage")  # noqa: TRY004 - a user's file
        if "log" not in document:
            self._operations += parse_coverage(document)
            return
        contracts = [*self._contracts()]
        archive = ArchiveCoverage(contracts)
        archive.count(document)
        self._operations += archive.coverage.summarize(contracts)
        self.unmatched += archive.unmatched


def _get_json(client: httpx.Client, url: str) -> Json:
    answer = client.get(url)
    if answer.is_success:
        return answer.json()
    said = answer.text
    if "json" in answer.headers.get("content-type", ""):
        said = answer.json().get("detail", said)
    raise CoverageSourceError(f"{url} answers {answer.status_code}: {said[:200]}")
