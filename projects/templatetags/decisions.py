"""The decision matrix of a document, where a page shows it beside other things."""

from typing import Any

from django import template

from projects.models import ScopingDocument
from projects.rules.decision_words import sentences_of
from projects.services.matrix import matrix_of

register = template.Library()


@register.simple_tag
def decision_matrix(document: ScopingDocument) -> dict[str, Any]:
    """Return the document's matrix, judged, with its outcome in sentences."""
    verdict = matrix_of(document)
    return {"verdict": verdict, "sentences": sentences_of(verdict)}


@register.filter
def decimal(value: Any) -> str:
    """Show a weighted score with two decimals; scores are exact fractions until then."""
    return f"{float(value):.2f}"


@register.filter
def weight(value: Any) -> str:
    """Show a weight without decimals that say nothing."""
    return f"{float(value):.1f}".removesuffix(".0")
