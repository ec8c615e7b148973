"""Headers of an answer: those that the contract names, each with its schema."""

from collections.abc import Iterable, Iterator

from soundstage.contract.document import followed
from soundstage.contract.parameter import Parameter, compile_parameter
from soundstage.contract.violation import Violation
from soundstage.types import Document


def compile_headers(
    document: Document, answer: Document, pointer: str
) -> tuple[Parameter, ...]:
    """The ``headers`` of a response, whose Content-Type is no matter of theirs."""
    return tuple(_compiled(document, answer.get("headers", {}), pointer))


def _compiled(
    document: Document, headers: Document, pointer: str
) -> Iterator[Parameter]:
    for name, given in headers.items():
        if name.lower() != "content-type":
            place = f"{pointer}/headers/{name}"
            node = followed(document, given, place)
            yield compile_parameter(
                document, {**node, "in": "header", "name": name}, place
            )


def judge_headers(
    known: Iterable[Parameter], headers: Iterable[tuple[str, str]]
) -> list[Violation]:
    """What is wrong with the headers of an answer."""
    sent: dict[str, list[str]] = {}
    for name, value in headers:
        sent.setdefault(name.lower(), []).append(value.strip())
    return [
        violation
        for parameter in known
        for violation in _judged(parameter, sent.get(parameter.name.lower()))
    ]


def _judged(header: Parameter, sent: list[str] | None) -> list[Violation]:
    if sent is None:
        message = f"the answer's header {header.name!r} is required"
        missing = Violation("answer", "required", message, header.name)
        return [missing] if header.required else []
    try:
        value = header.read(sent)
    except ValueError as error:
        return [Violation("answer", "style", str(error), header.name, (), sent)]
    if header.schema.is_valid(value):
        return []
    return header.schema.violations(value, "answer", header.name)
