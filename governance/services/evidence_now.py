"""Evidence of a subject as it is now: what reviews bind of it, and what they copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.models import Evidence
from governance.rules.differences import flat
from governance.rules.digests import digest_of, digest_of_set, same_numbers
from governance.rules.staleness import ALL_EVIDENCE

CARD = "card"
_CARD_KIND = "model_card"
#: A review copies so many rows of evidence and sections of a card, and so much of each section.
_MOST_COPIED = 200
_LONGEST_SECTION = 4000


@dataclass(frozen=True)
class EvidenceNow:
    """Evidence of one subject in the order of recording, each row with the digest it has now."""

    rows: tuple[tuple[Evidence, str], ...]

    @property
    def bindings(self) -> dict[str, str]:
        """Return one digest for each kind, whatever the order of recording."""
        return {part: digest_of_set(found) for part, found in self.by_part().items()}

    @property
    def as_one(self) -> str:
        """Return one digest for all of it."""
        return digest_of_set(digest for _, digest in self.rows)

    def by_part(self) -> dict[str, list[str]]:
        """Return the digests of the rows under the part of a review that binds them."""
        found: dict[str, list[str]] = {}
        for one, digest in self.rows:
            found.setdefault(part_of(one.kind), []).append(digest)
        return found

    def facts(self) -> dict[str, Any]:
        """Return what a review copies: each row in short, and the sections of the newest card."""
        listed = [
            {"part": part_of(one.kind), "title": one.title, "content": _content_digest(one)}
            for one, _ in self.rows[-_MOST_COPIED:]
        ]
        cards = [one.data for one, _ in self.rows if part_of(one.kind) == CARD]
        return {"evidence": listed, "card": _sections(cards[-1]) if cards else {}}


def part_of(kind: str) -> str:
    """Return the part of a review that binds evidence of a kind."""
    return CARD if kind == _CARD_KIND else f"{ALL_EVIDENCE}:{kind}"


def evidence_now(subject_kind: str, subject_ref: str) -> EvidenceNow:
    """Return all evidence of a subject as it is now, in one query.

    Every row is hashed again from what it holds now: a row that was edited past the services
    moves what reviews bind, whatever its own column of the digest says.
    """
    rows = Evidence.objects.of_subject(subject_kind, subject_ref).order_by("pk")
    return EvidenceNow(tuple((one, digest_of_row(one)) for one in rows))


def evidence_authors(subject_kind: str, subject_ref: str) -> frozenset[int]:
    """Return the people who put evidence about a subject on record."""
    found = Evidence.objects.of_subject(subject_kind, subject_ref).order_by()
    by_people = found.filter(produced_by__isnull=False)
    return frozenset(by_people.values_list("produced_by", flat=True).distinct())


def digest_of_row(evidence: Evidence) -> str:
    """Return the digest of one row from what it holds now."""
    subject = [evidence.subject_kind, evidence.subject_ref]
    return digest_of({"subject": subject, **_content(evidence)})


def _content_digest(evidence: Evidence) -> str:
    """Return the digest of what the evidence says, whichever subject it is about."""
    return digest_of(_content(evidence))


def _content(evidence: Evidence) -> dict[str, Any]:
    return {
        "kind": evidence.kind,
        "title": evidence.title,
        "data": same_numbers(evidence.data),
        "attachment": evidence.attachment,
        "media_type": evidence.media_type,
    }


def _sections(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of a card, nested ones under names such as `data origin`, cut in size."""
    found = list(flat(card).items())[:_MOST_COPIED]
    return {
        name: value[:_LONGEST_SECTION] if isinstance(value, str) else value for name, value in found
    }
