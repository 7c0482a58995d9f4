"""What roles and reviews are called in a sentence."""

import pytest

from projects.rules.words import review_words, role_words


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("data", "data review"),
        ("pre_production", "pre production review"),
        ("experiment_review", "experiment review"),
        ("go-live", "go live review"),
    ],
)
def test_a_review_is_named_by_its_gate_and_once(gate: str, words: str) -> None:
    assert review_words(gate) == words


def test_a_role_is_named_as_people_say_it() -> None:
    assert [role_words("ml_engineer"), role_words("risk_officer")] == [
        "ML engineer",
        "risk officer",
    ]
