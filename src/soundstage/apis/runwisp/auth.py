"""Logging in: a challenge, its answer, and the token that comes of it.

The token is the fixture's own; a credential without a password cannot log in.
"""

from hashlib import sha256
from hmac import compare_digest

from soundstage.apis.api import Answer, Call
from soundstage.apis.runwisp.described import described
from soundstage.apis.runwisp.problem import BAD_CHALLENGE, BAD_PASSWORD, NotLoggedIn
from soundstage.contract.security import Credential
from soundstage.world.clock import EARLIEST, MINUTE
from soundstage.world.log import Put

LIFETIME = 5 * MINUTE
TOKEN_SECONDS = 24 * 60 * 60


def health(_call: Call) -> Answer:
    """The daemon is up."""
    return Answer("OK", media_type="text/plain")


def challenge(call: Call) -> Answer:
    """A nonce that is good once, for five minutes.

    It tells when it was given and how many were used by then, so that giving one
    changes nothing in the world.
    """
    return Answer({"nonce": _nonce(call, call.now, _used(call))})


def login(call: Call) -> Answer:
    """The token of the credential whose password the answer proves."""
    nonce, response = call.body["nonce"], call.body["response"]
    if not _is_good(call, nonce):
        raise NotLoggedIn(BAD_CHALLENGE)
    for credential in _credentials(call):
        answer = sha256(f"{credential['password']}:{nonce}".encode()).hexdigest()
        if compare_digest(answer.encode(), response.encode()):
            call.world.apply(Put(call.api, "challenges", nonce, {}))
            token = credential["bearerAuth"]
            return Answer({"token": token}, headers=(("Set-Cookie", _cookie(token)),))
    raise NotLoggedIn(BAD_PASSWORD)


def status(call: Call) -> Answer:
    """Whether there is a password, and whether the cookie holds a good token."""
    token = call.parameters.get("runwisp_jwt")
    credentials = call.world.fixtures[call.api].credentials
    body = {
        "auth_required": bool(_credentials(call)),
        "authenticated": token in {c.get("cookieAuth", "") for c in credentials} - {""},
    }
    return described(call, "AuthStatusBody", body)


def _credentials(call: Call) -> list[Credential]:
    """Those that somebody can log in to."""
    credentials = call.world.fixtures[call.api].credentials
    return [c for c in credentials if "password" in c and "bearerAuth" in c]


def _cookie(token: str) -> str:
    age = f"Max-Age={TOKEN_SECONDS}"
    return f"runwisp_jwt={token}; Path=/api/; {age}; HttpOnly; SameSite=Strict"


def _used(call: Call) -> int:
    """How many challenges were used by now. O(those)."""
    return len(call.collection("challenges").all(call.now))


def _nonce(call: Call, at: int, used: int) -> str:
    digest = sha256(f"{call.world.opening.seed} {at} {used}".encode()).hexdigest()
    return f"{at - EARLIEST:016x}{used:08x}{digest[:16]}"


def _is_good(call: Call, nonce: str) -> bool:
    """Whether it was given here, lately, and not used."""
    try:
        at, used = int(nonce[:16], 16) + EARLIEST, int(nonce[16:24], 16)
    except ValueError:
        return False
    return (
        nonce == _nonce(call, at, used)
        and call.now - LIFETIME <= at <= call.now
        and call.collection("challenges").get(nonce, call.now) is None
    )
