"""API tokens: made once, shown once, hashed at rest, ended by date or by revoking."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from config.models import ApiToken
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, NotPermitted


@transaction.atomic
def create_token(
    user: User, *, actor: Actor, name: str = "", days: int | None = None
) -> tuple[ApiToken, str]:
    """Make a token for `user` and return it with its secret, which is stored nowhere.

    People make tokens for themselves, from a session or with their password; whoever has the
    command line may make one for anybody. A token cannot make tokens, or it would never expire.

    Raises:
        NotPermitted: the caller came with a token, or asks for someone else's.
        InvalidInput: the life time is out of bounds.
    """
    _require_own(user, actor)
    if actor.method == "token":
        raise NotPermitted(
            "A token cannot make another token; sign in with your password.",
            code="token_makes_token",
        )
    days = settings.API_TOKEN_DAYS if days is None else days
    if not 1 <= days <= settings.API_TOKEN_MAX_DAYS:
        raise InvalidInput(
            f"A token may live from 1 to {settings.API_TOKEN_MAX_DAYS} days, not {days}.",
            code="token_days",
        )
    token, secret = ApiToken.objects.create(user, expiry=timedelta(days=days), name=name)
    ledger.append(
        "api_token.created",
        subject=f"user:{user.pk}",
        actor=actor,
        data={"token": str(token.public_id), "expires_at": token.expiry.isoformat()},
    )
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, actor: Actor) -> None:
    """End a token at once.

    Raises:
        NotPermitted: it is someone else's.
    """
    _require_own(token.user, actor)
    deleted, _ = ApiToken.objects.filter(pk=token.pk).delete()
    if deleted:
        ledger.append(
            "api_token.revoked",
            subject=f"user:{token.user_id}",
            actor=actor,
            data={"token": str(token.public_id)},
        )


def _require_own(user: User, actor: Actor) -> None:
    if actor.method != "command" and actor.user_id != user.pk:
        raise NotPermitted("A token belongs to one person.", code="token_of_another")
