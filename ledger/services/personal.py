"""Personal words: kept outside the hashed bytes, and erasable."""

import secrets

from django.db import transaction

from ledger.models import LedgerEntry, PersonalText
from ledger.rules import entries
from ledger.services.appending import ActorLike, append


def remember_personal_text(text: str) -> str:
    """Store personal words outside the hashed bytes and return the reference to record."""
    salt = secrets.token_bytes(entries.SALT_SIZE)
    reference = entries.text_reference(salt, text)
    PersonalText.objects.create(reference=reference, salt=salt, text=entries.normal_text(text))
    return reference


@transaction.atomic
def erase_personal_text(reference: str, *, actor: ActorLike) -> bool:
    """Erase a text and its salt for good; every proof stays valid. Tell whether it was there."""
    erased, _ = PersonalText.objects.filter(reference=reference).delete()
    if erased:
        append("personal_text.erased", subject=f"personal_text:{reference}", actor=actor)
    return bool(erased)


@transaction.atomic
def erase_actor_name(ref: str, *, actor: ActorLike) -> int:
    """Erase the name of an actor, such as `user:7`, from every entry; return how many had it."""
    named = LedgerEntry.objects.filter(actor=ref).exclude(actor_name="")
    erased = named.update(actor_name="", actor_salt=b"")
    if erased:
        append("actor_name.erased", subject=ref, actor=actor, data={"entries": erased})
    return erased
