"""Logging in: a challenge, its answer, and the token that comes of it.

The token is the fixture's own; a credential without a password cannot log in.
"""

from hashlib import sha256
from hmac import compare_digest

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.runwisp.errors import (
    INVALID_CHALLENGE,
    INVALID_PASSWORD,
    LoginFailed,
)
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.openapi.security import Credential
from soundstage.world.clock import MIN_TIMESTAMP, MINUTE
from soundstage.world.commands import Put

CHALLENGE_LIFETIME = 5 * MINUTE
TOKEN_LIFETIME_SECONDS = 24 * 60 * 60


def check_health(_context: RequestContext) -> Response:
    """The daemon is up."""
    return Response("OK", media_type="text/plain")


def create_challenge(context: RequestContext) -> Response:
    """A nonce that is good once, for five minutes.

    It tells when it was given and how many were used by then, so that giving one
    changes nothing in the world.
    """
    return Response(
        {"nonce": _create_nonce(context, context.now, _count_used_challenges(context))}
    )


def log_in(context: RequestContext) -> Response:
    """The token of the credential whose password the answer proves."""
    nonce, response = context.body["nonce"], context.body["response"]
    if not _is_valid_nonce(context, nonce):
        raise LoginFailed(INVALID_CHALLENGE)
    for credential in _list_login_credentials(context):
        answer = sha256(f"{credential['password']}:{nonce}".encode()).hexdigest()
        if compare_digest(answer.encode(), response.encode()):
            context.world.apply(Put(context.api, "challenges", nonce, {}))
            token = credential["bearerAuth"]
            return Response(
                {"token": token}, headers=(("Set-Cookie", _render_cookie(token)),)
            )
    raise LoginFailed(INVALID_PASSWORD)


def retrieve_auth_status(context: RequestContext) -> Response:
    """Whether there is a password, and whether the cookie holds a good token."""
    token = context.parameters.get("runwisp_jwt")
    credentials = context.world.fixtures[context.api].credentials
    body = {
        "auth_required": bool(_list_login_credentials(context)),
        "authenticated": token in {c.get("cookieAuth", "") for c in credentials} - {""},
    }
    return build_described_response(context, "AuthStatusBody", body)


def _list_login_credentials(context: RequestContext) -> list[Credential]:
    """Those that somebody can log in to."""
    credentials = context.world.fixtures[context.api].credentials
    return [c for c in credentials if "password" in c and "bearerAuth" in c]


def _render_cookie(token: str) -> str:
    age = f"Max-Age={TOKEN_LIFETIME_SECONDS}"
    return f"runwisp_jwt={token}; Path=/api/; {age}; HttpOnly; SameSite=Strict"


def _count_used_challenges(context: RequestContext) -> int:
    """How many challenges were used by now. O(those)."""
    return len(context.collection("challenges").all(context.now))


def _create_nonce(context: RequestContext, timestamp: int, used_count: int) -> str:
    digest = sha256(
        f"{context.world.options.seed} {timestamp} {used_count}".encode()
    ).hexdigest()
    return f"{timestamp - MIN_TIMESTAMP:016x}{used_count:08x}{digest[:16]}"


def _is_valid_nonce(context: RequestContext, nonce: str) -> bool:
    """Whether it was given here, lately, and not used."""
    try:
        at, used = int(nonce[:16], 16) + MIN_TIMESTAMP, int(nonce[16:24], 16)
    except ValueError:
        return False
    return (
        nonce == _create_nonce(context, at, used)
        and context.now - CHALLENGE_LIFETIME <= at <= context.now
        and context.collection("challenges").get(nonce, context.now) is None
    )
