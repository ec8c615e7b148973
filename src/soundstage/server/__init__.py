"""The ASGI server: worlds, the request stack, faults and the control API."""

import warnings

with warnings.catch_warnings():
    # Connexion imports starlette's test client, which warns about the installed httpx.
    # Users cannot do anything about that.
    warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient`")
    import connexion as _connexion  # noqa: F401 - imported here to silence the warning
