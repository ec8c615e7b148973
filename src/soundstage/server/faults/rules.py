"""Rules: which requests a fault strikes, and how often."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from soundstage.apis.service import Service
from soundstage.contract.operation import Arguments, Operation
from soundstage.server.faults import make_fault
from soundstage.server.faults.fault import Fault, Struck
from soundstage.server.problems import Problem
from soundstage.types import Document, Json
from soundstage.world.chance import Seeded


@dataclass(slots=True, eq=False)
class Rule:
    """A fault, and the requests that it strikes.

    ``wanted`` is the rule as somebody asked for it. ``targets`` are APIs and operation
    ids. ``seen`` counts the requests that matched, ``hits`` those that were struck.
    """

    id: str
    fault: Fault
    wanted: Document
    targets: frozenset[tuple[str, str]]
    seen: int = 0
    hits: int = 0

    def strikes(self, arguments: Arguments, seed: int) -> Struck | None:
        """What befalls a request for one of the targets."""
        if not _matches(self.wanted.get("match", {}), arguments):
            return None
        chance = Seeded(seed, "fault", self.id, self.seen)
        self.seen += 1
        times, probability = self.wanted.get("times"), self.wanted.get("probability")
        if times is not None and self.hits >= times:
            return None
        if probability is not None and chance.real(0, 1) >= probability:
            return None
        self.hits += 1
        return Struck(self.id, self.fault, chance)

    def as_json(self) -> Document:
        """The rule as the control API shows it."""
        told = {"id": self.id, "options": {}, "match": {}, **self.wanted}
        return {**told, "seen": self.seen, "hits": self.hits}


@dataclass(slots=True, eq=False)
class Rules:
    """The rules of one world; the first one that strikes wins."""

    _rules: dict[str, Rule] = field(default_factory=dict)
    _made: int = 0

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules.values())

    def add(self, services: Mapping[str, Service], wanted: Document) -> Rule:
        """A new rule, after the others. Raises ``Problem``."""
        _check_share(wanted)
        fault = make_fault(wanted["kind"], wanted.get("options", {}))
        targets = dict(_targets(services, wanted))
        _check_names(targets.values(), wanted.get("match", {}))
        self._made += 1
        rule_id = f"{fault.NAME}-{self._made}"
        rule = Rule(rule_id, fault, wanted, frozenset(targets))
        self._rules[rule_id] = rule
        return rule

    def remove(self, rule_id: str) -> None:
        """Take a rule away. Raises ``Problem``."""
        if rule_id not in self._rules:
            there = ", ".join(self._rules) or "none"
            detail = f"there is no fault {rule_id!r} here; there are: {there}"
            raise Problem(404, detail)
        del self._rules[rule_id]

    def clear(self) -> None:
        """Take all away; the next one is the first again."""
        self._rules.clear()
        self._made = 0

    def choose(
        self, api: str, operation: str, arguments: Arguments, seed: int
    ) -> Struck | None:
        """The fault that strikes a valid request, if one does."""
        for rule in self:
            if (api, operation) in rule.targets and (
                struck := rule.strikes(arguments, seed)
            ):
                return struck
        return None


def _check_share(wanted: Document) -> None:
    """Raise ``Problem`` for a count or a share that cannot be."""
    if "times" in wanted and "probability" in wanted:
        raise Problem(409, 'say "times" or "probability", not both')
    if wanted.get("times", 1) < 1:
        raise Problem(409, f"times are 1 or more, not {wanted['times']}")
    if not 0 <= wanted.get("probability", 0) <= 1:
        detail = f"a probability is from 0 to 1, not {wanted['probability']}"
        raise Problem(409, detail)


Target = tuple[tuple[str, str], Operation]


def _targets(services: Mapping[str, Service], wanted: Document) -> Iterator[Target]:
    """The operations that a rule is about. Raises ``Problem``."""
    api, operation_id = wanted.get("api"), wanted.get("operation")
    if api is not None and api not in services:
        there = ", ".join(services)
        raise Problem(404, f"there is no API {api!r}; there are: {there}")
    within = [api] if api else list(services)
    found = [
        ((name, operation.id), operation)
        for name in within
        for operation in services[name].contract.operations.values()
    ]
    chosen = [target for target in found if operation_id in {None, target[0][1]}]
    if not chosen:
        there = ", ".join(sorted(key[1] for key, _ in found))
        detail = f"there is no operation {operation_id!r}; there are: {there}"
        raise Problem(409, detail)
    yield from chosen


def _check_names(operations: Iterable[Operation], match: Mapping[str, Json]) -> None:
    """Raise ``Problem`` for a parameter that none of the operations has."""
    known = {p.name for operation in operations for p in operation.parameters}
    for name in match:
        if name not in known and not name.startswith("/"):
            there = ", ".join(sorted(known)) or "none"
            detail = f"there is no parameter {name!r} to match; there are: {there}"
            raise Problem(409, f"{detail}. What begins with / points into the body")


def _matches(match: Mapping[str, Json], arguments: Arguments) -> bool:
    return all(_is(wanted, _value(arguments, n)) for n, wanted in match.items())


def _is(wanted: Json, given: Json) -> bool:
    """Whether they are equal; a list may also hold what is wanted."""
    return bool(given == wanted or (isinstance(given, list) and wanted in given))


def _value(arguments: Arguments, name: str) -> Json:
    """The parameter of this name, or what this JSON pointer leads to in the body."""
    if not name.startswith("/"):
        return arguments.parameters.get(name)
    value = arguments.body
    for step in name[1:].split("/"):
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step.replace("~1", "/").replace("~0", "~"))
        else:
            return None
    return value
