"""Log-in by challenge and response, which returns the token of a credential.

A credential of the fixture has its token in ``bearerAuth``; without a ``password`` it
cannot log in.
"""

from hashlib import sha256
from hmac import compare_digest

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.runwisp.errors import INVALID_CHALLENGE, INVALID_PASSWORD, LoginFailed
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.openapi.security import Credential
from soundstage.world.clock import MIN_TIMESTAMP, MINUTE
from soundstage.world.commands import Put

CHALLENGE_LIFETIME = 5 * MINUTE
TOKEN_LIFETIME_SECONDS = 24 * 60 * 60


def check_health(_context: RequestContext) -> Response:
    """Return that the daemon is up."""
    return Response("OK", media_type="text/plain")


def create_challenge(context: RequestContext) -> Response:
    """Return a nonce that can be used once, within five minutes."""
    used_count = len(context.collection("challenges").all(context.now))
    return Response({"nonce": _create_nonce(context, context.now, used_count)})


def log_in(context: RequestContext) -> Response:
    """Return the token of the credential whose password the response proves."""
    nonce, response = context.body["nonce"], context.body["response"]
    if not _is_valid_nonce(context, nonce):
        raise LoginFailed(INVALID_CHALLENGE)
    for credential in _list_login_credentials(context):
        expected = sha256(f"{credential['password']}:{nonce}".encode()).hexdigest()
        if compare_digest(expected.encode(), response.encode()):
            # Only a successful log-in uses up the nonce.
            context.world.apply(Put(context.api, "challenges", nonce, {}))
            token = credential["bearerAuth"]
            headers = (("Set-Cookie", _render_cookie(token)),)
            return Response({"token": token}, headers=headers)
    raise LoginFailed(INVALID_PASSWORD)


def retrieve_auth_status(context: RequestContext) -> Response:
    """Return whether there are passwords, and whether the cookie has a valid token."""
    token = context.parameters.get("runwisp_jwt")
    credentials = context.world.fixtures[context.api].credentials
    body = {
        "auth_required": bool(_list_login_credentials(context)),
        "authenticated": token in {c.get("cookieAuth", "") for c in credentials} - {""},
    }
    return build_described_response(context, "AuthStatusBody", body)


def _list_login_credentials(context: RequestContext) -> list[Credential]:
    credentials = context.world.fixtures[context.api].credentials
    return [c for c in credentials if "password" in c and "bearerAuth" in c]


def _render_cookie(token: str) -> str:
    age = f"Max-Age={TOKEN_LIFETIME_SECONDS}"
    return f"runwisp_jwt={token}; Path=/api/; {age}; HttpOnly; SameSite=Strict"


def _create_nonce(context: RequestContext, timestamp: int, used_count: int) -> str:
    """Return a nonce that contains its timestamp and the number of used challenges.

    So it can be validated later without a record: issuing it changes no state, and a
    nonce differs from those before the last log-in even at the same timestamp.
    """
    text = f"{context.world.options.seed} {timestamp} {used_count}"
    digest = sha256(text.encode()).hexdigest()
    return f"{timestamp - MIN_TIMESTAMP:016x}{used_count:08x}{digest[:16]}"


def _is_valid_nonce(context: RequestContext, nonce: str) -> bool:
    """Return whether the nonce was issued here, has not expired and was not used."""
    try:
        timestamp = int(nonce[:16], 16) + MIN_TIMESTAMP
        used_count = int(nonce[16:24], 16)
    except ValueError:
        return False
    return (
        nonce == _create_nonce(context, timestamp, used_count)
        and context.now - CHALLENGE_LIFETIME <= timestamp <= context.now
        and context.collection("challenges").get(nonce, context.now) is None
    )
