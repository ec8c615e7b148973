"""Credentials of a fixture, as a client sends them."""

from collections.abc import Iterator, Mapping

from soundstage.apis.registry import Service


def get_credentials(service: Service) -> dict[str, str]:
    """Return the first credentials of the fixture: security scheme -> secret."""
    schemes = service.contract.document.get("components", {}).get("securitySchemes", {})
    first: Mapping[str, str] = next(iter(service.fixture.credentials), {})
    return {name: secret for name, secret in first.items() if name in schemes}


def build_credential_headers(service: Service) -> Iterator[tuple[str, str]]:
    """Yield headers that satisfy the first requirement of the first operation."""
    operation = next(iter(service.contract.operations.values()))
    requirements = operation.security.requirements
    if not requirements or () in requirements or not service.fixture.credentials:
        return
    components = service.contract.document.get("components", {})
    for name in requirements[0]:
        scheme = components["securitySchemes"][name]
        secret = service.fixture.credentials[0][name]
        if scheme["type"] == "apiKey":
            yield scheme["name"], secret
        else:
            yield "Authorization", f"Bearer {secret}"
