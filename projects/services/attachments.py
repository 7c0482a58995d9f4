"""Files on work items and on drafts of the scope, kept under the digest of their bytes."""

import re
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction

from ledger import services as ledger
from projects import access, content_store
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated
from projects.models import Attachment, ScopingDocument, WorkItem
from projects.rules.file_types import WrongFile, type_of
from projects.services.work_events import note

LONGEST_NAME = 200
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def attach(to: WorkItem | ScopingDocument, file: "File[Any]", *, actor: Actor) -> Attachment:
    """Keep a file on an item or on a draft; the same bytes are stored once.

    Raises:
        InvalidInput: code `file_empty`, `file_too_large`, `file_type_not_allowed` or
            `file_is_not_what_it_says`.
        RuleViolated: code `scope_not_editable`; what was submitted takes no more files.
    """
    access.require(actor, "attachment.add", to.project)
    if isinstance(to, ScopingDocument) and not to.is_editable:
        raise RuleViolated(
            f"{to} was submitted; attach the file to a new draft.", code="scope_not_editable"
        )
    name = clean_name(file.name or "")
    data = _read(file)
    media_type = _type_of(name, data)
    # Written before the transaction: a file without a row harms nobody, a row without a file does.
    digest = content_store.put(data)
    row = Attachment(
        project=to.project,
        item=to if isinstance(to, WorkItem) else None,
        scope=to if isinstance(to, ScopingDocument) else None,
        name=name,
        media_type=media_type,
        size=len(data),
        digest=digest,
        added_by=actor.user,
    )
    return _keep(row, to, actor=actor)


@transaction.atomic
def _keep(row: Attachment, to: WorkItem | ScopingDocument, *, actor: Actor) -> Attachment:
    row.save()
    if isinstance(to, WorkItem):
        note(to, "attached", actor, name=row.name, digest=row.digest)
    ledger.append(
        "attachment.added",
        subject=to.ref,
        actor=actor,
        data={
            "project": row.project.ref,
            "attachment": row.pk,
            "digest": row.digest,
            "size": row.size,
            "media_type": row.media_type,
        },
    )
    return row


def clean_name(name: str) -> str:
    """Return a file name that is a name: no folders, no control signs, its ending kept."""
    plain = _UNFIT.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if len(plain) <= LONGEST_NAME or not dot:
        return plain[:LONGEST_NAME] or "file"
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"[:LONGEST_NAME]


def _read(file: "File[Any]") -> bytes:
    most = settings.ATTACHMENT_MAX_BYTES
    if (file.size or 0) > most:
        raise _wrong("file_too_large", f"A file has at most {most // 1024} KiB; this one has more.")
    data: bytes = file.read(most + 1)
    if not data:
        raise _wrong("file_empty", "The file is empty.")
    if len(data) > most:
        raise _wrong("file_too_large", f"A file has at most {most // 1024} KiB; this one has more.")
    return data


def _type_of(name: str, data: bytes) -> str:
    try:
        return type_of(name, data)
    except WrongFile as error:
        raise _wrong(error.code, str(error)) from error


def _wrong(code: str, message: str) -> InvalidInput:
    return InvalidInput(message, code=code, details={"errors": {"file": [message]}})
