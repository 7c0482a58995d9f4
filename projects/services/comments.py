"""What people say on work items."""

import hashlib
from typing import cast

from django.contrib.auth.models import User
from django.db import transaction

from projects import access, markdown
from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import Comment, WorkItem
from projects.services import notices
from projects.services.work_events import note, record
from projects.services.work_item_checks import names_on_project

LONGEST = 20_000


@transaction.atomic
def add_comment(item: WorkItem, body: str, *, actor: Actor) -> Comment:
    """Say something in Markdown; people of the project whom it mentions are told and watch.

    Raises:
        InvalidInput: code `comment_empty` or `comment_too_long`.
    """
    access.require(actor, "work_item.comment", item.project)
    text = _read(body)
    # Parts of the system are not in the table of who may comment, so there is a person.
    comment = Comment.objects.create(item=item, author=cast("User", actor.user), body=text)
    names = markdown.mentions_in(text, names_on_project(item.project))
    mentioned = list(User.objects.filter(username__in=names).order_by("pk"))
    comment.mentions.set(mentioned)
    notices.let_watch(item, [actor.user, *mentioned])
    notices.tell_mentioned(item, mentioned, actor=actor)
    note(
        item,
        "commented",
        actor,
        told_besides=[user.pk for user in mentioned],
        comment=comment.pk,
    )
    # The ledger holds no personal text; the digest proves the words if they are shown.
    digest = hashlib.sha256(text.encode()).hexdigest()
    record("work_item.commented", item, actor=actor, comment=comment.pk, sha256=digest)
    return comment


def _read(body: str) -> str:
    text = body.strip()
    errors = {"body": ["Write something."]}
    if not text:
        raise InvalidInput("Write something.", code="comment_empty", details={"errors": errors})
    if len(text) > LONGEST:
        message = f"A comment has at most {LONGEST} characters; this has {len(text)}."
        raise InvalidInput(
            message, code="comment_too_long", details={"errors": {"body": [message]}}
        )
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        message = "The text holds a character that cannot be stored."
        raise InvalidInput(
            message, code="comment_unreadable", details={"errors": {"body": [message]}}
        )
    return text
