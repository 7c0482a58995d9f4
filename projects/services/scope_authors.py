"""Who made a scoping document, and which one a project has agreed on."""

from projects.models import Project, ScopingDocument


def approved_scope(project: Project) -> ScopingDocument | None:
    """Return the project's agreed scope, if there is one."""
    return project.scoping_documents.approved().first()


def author_ids(document: ScopingDocument) -> frozenset[int]:
    """Return everybody who wrote, edited or submitted the document.

    An editorial edit of an approved scope makes nobody an author: it changes nothing that is
    agreed.
    """
    ids = set(document.editors.values_list("pk", flat=True))
    return frozenset(
        ids | {pk for pk in (document.created_by_id, document.submitted_by_id) if pk is not None}
    )
