"""The versions of a record that was recorded, each with the instant of it."""

from dataclasses import dataclass, replace

from soundstage.types import Document
from soundstage.world.record import Kind


@dataclass(frozen=True, slots=True)
class Version:
    """A document, and the instant since which it holds.

    It is ``firm`` if the document tells the instant itself; else it is when somebody
    saw it first, by another clock perhaps.
    """

    at: int
    document: Document
    firm: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """A record, all that is known of it; ``shown`` are the fields that could be."""

    kind: Kind
    id: str
    versions: tuple[Version, ...]
    shown: frozenset[str]

    @property
    def began(self) -> int:
        """The instant of the first version."""
        return self.versions[0].at

    def not_before(self, at: int) -> "Told":
        """The record, let begin at this instant at the earliest."""
        moved = (replace(v, at=max(at, v.at)) for v in self.versions)
        return replace(self, versions=tuple(moved))


def firm_since(versions: list[Version]) -> int:
    """The last instant that is certain."""
    return max(version.at for version in versions if version.firm)


def squeezed(versions: list[Version], end: int) -> list[Version]:
    """The versions, all before what came after them at an instant that is certain.

    What is not certain since the last that is, moves together; its order stays.
    """
    since, last = firm_since(versions), versions[-1].at
    if last < end:
        return versions
    share = (end - since) / (last - since + 1) if last > since else 0
    return [
        version if version.firm else replace(version, at=_moved(version, since, share))
        for version in versions
    ]


def _moved(version: Version, since: int, share: float) -> int:
    return min(version.at, since + int((version.at - since) * share))
