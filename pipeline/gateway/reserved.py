"""Tags that begin with `countersign.`: the service's own, save the three that tie a run."""

from collections.abc import Iterable
from typing import Protocol

from pipeline.services import ties
from projects.errors import NotPermitted

PREFIX = "countersign."
#: What clients may write, and on runs only; each is checked against the project.
TIES = frozenset({ties.SPRINT, ties.WORK_ITEM, ties.DATASET})


class Tag(Protocol):
    """A tag of any of MLflow's things."""

    key: str
    value: str


def is_reserved(key: str) -> bool:
    """Tell whether a tag belongs to the service, however it is spelled."""
    return key.strip().casefold().startswith(PREFIX)


def reserved_keys(tags: Iterable[Tag] | None) -> list[str]:
    """Return the keys among `tags` that belong to the service."""
    return [tag.key for tag in tags or () if is_reserved(tag.key)]


def ties_of(tags: Iterable[Tag] | None) -> dict[str, str]:
    """Return the ties among a run's tags; refuse every other tag of the service."""
    found = {}
    for tag in tags or ():
        if tag.key in TIES:
            found[tag.key] = tag.value
        elif is_reserved(tag.key):
            raise refusal(tag.key)
    return found


def refusal(key: str) -> NotPermitted:
    """Return the refusal of a reserved tag."""
    return NotPermitted(
        f"The tag {key!r} is reserved: tags that begin with '{PREFIX}' are written by the service.",
        code="reserved_tag",
    )
