"""Short-lived bearer tokens that the service's own jobs show to its own gateway.

A job runs for somebody or for a part of the system; its runs must carry that author, although
nobody is there to type a password. Only holders of the secret key can make such a token.
"""

from django.contrib.auth.models import User
from django.core import signing

from projects.actors import Actor, person, system

_SALT = "countersign.gateway.service"
_PREFIX = "job."
MAX_AGE = 3600


def token_for(actor: Actor) -> str:
    """Return a bearer token under which the gateway knows `actor` for an hour."""
    return _PREFIX + signing.dumps({"ref": actor.ref}, salt=_SALT)


def actor_of(token: str) -> Actor | None:
    """Return the actor that a token of `token_for` stands for; None for any other token."""
    if not token.startswith(_PREFIX):
        return None
    try:
        ref = signing.loads(token.removeprefix(_PREFIX), salt=_SALT, max_age=MAX_AGE)["ref"]
    except (signing.BadSignature, KeyError, TypeError):
        return None
    kind, _, name = str(ref).partition(":")
    if kind == "system":
        return system(name)
    user = User.objects.filter(pk=name, is_active=True).first()
    return person(user, method="token") if user else None
