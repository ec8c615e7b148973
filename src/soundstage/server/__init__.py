"""How it is answered: ASGI."""

import warnings

with warnings.catch_warnings():
    # Connexion imports starlette's test client, which wants another httpx; that is
    # nothing to the people who run us.
    warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient`")
    import connexion as _connexion  # noqa: F401 - imported for the quiet
