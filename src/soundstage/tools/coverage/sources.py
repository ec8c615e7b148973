"""Sources of coverage: running servers, data files, HTTP Archives."""

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
    """A source cannot be read."""


class CoverageSources:
    """Reads coverage from several sources.

    ``contracts`` returns the contracts for archives, and is called only if there is an
    archive. ``unmatched`` lists requests of archives that match no operation. All
    methods that read raise ``CoverageSourceError``.
    """

    def __init__(self, contracts: Callable[[], Iterable[Contract]]) -> None:
        self._contracts = contracts
        self._operations: list[OperationCoverage] = []
        self.unmatched: list[str] = []

    def merge(self) -> list[OperationCoverage]:
        """Merge the coverage of all sources: each operation once."""
        return merge_operations(self._operations)

    def add_file(self, path: Path) -> None:
        """Read an archive, a data file, or a JSON report."""
        try:
            document = orjson.loads(path.read_bytes())
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror}"
            raise CoverageSourceError(msg) from error
        except orjson.JSONDecodeError as error:
            raise CoverageSourceError(f"{path} is not JSON: {error}") from error
        try:
            self._add_document(document)
        except ValueError as error:
            raise CoverageSourceError(f"{path}: {error}") from error

    def add_server(self, url: str, world: str | None, token: str | None) -> None:
        """Read one world of a running server, or all, deleted ones included."""
        control = f"{url.rstrip('/')}/_soundstage"
        headers = {"soundstage-token": token} if token else {}
        try:
            with httpx.Client(headers=headers, timeout=30) as client:
                if world:
                    # A request to a world that does not exist would create it.
                    _get_json(client, f"{control}/worlds/{world}")
                    control = f"{url.rstrip('/')}/~{world}/_soundstage"
                scope = "this" if world else "all"
                document = _get_json(client, f"{control}/coverage?worlds={scope}")
            self._operations += parse_coverage(document)
        except httpx.InvalidURL as error:
            raise CoverageSourceError(f"{url} is not a URL: {error}") from error
        except httpx.HTTPError as error:
            msg = f"cannot reach soundstage at {url}: {error}; is it running?"
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
    response = client.get(url)
    if response.is_success:
        return response.json()
    detail = response.text
    if "json" in response.headers.get("content-type", ""):
        detail = response.json().get("detail", detail)
    raise CoverageSourceError(f"{url}: {response.status_code}: {detail[:200]}")
