"""Refusals: kept, counted, and shown to those who answer for the project."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from governance.models import DeniedAttempt
from projects.models import Project

pytestmark = pytest.mark.django_db
PAGE, COUNTS = "/denied-attempts/", "/api/v1/denied-attempts/counts/"


@pytest.fixture
def refusals(project: Project, data_scientist: User, ml_engineer: User) -> list[DeniedAttempt]:
    """Sam was refused twice on one code, Mia once on another."""
    tried = [
        (data_scientist, "alias.set", "promotion_not_approved"),
        (data_scientist, "alias.set", "promotion_not_approved"),
        (ml_engineer, "review.sign", "separation_of_duties"),
    ]
    return [
        DeniedAttempt.objects.create(
            actor=f"user:{who.pk}",
            actor_name=who.first_name,
            action=action,
            target="term-deposit-calls/1",
            code=code,
            message=f"No: {code}.",
            project=project,
        )
        for who, action, code in tried
    ]


def test_an_overseer_sees_counts_by_reason_attempt_and_person(
    refusals: Any, risk_officer: User, api: Any
) -> None:
    found = api(risk_officer).get(COUNTS).json()
    assert found == {
        "by_code": [
            {"what": "promotion_not_approved", "times": 2},
            {"what": "separation_of_duties", "times": 1},
        ],
        "by_action": [{"what": "alias.set", "times": 2}, {"what": "review.sign", "times": 1}],
        "by_person": [{"what": "Sam", "times": 2}, {"what": "Mia", "times": 1}],
    }


def test_filters_of_the_list_apply_to_the_counts(
    refusals: Any, risk_officer: User, api: Any
) -> None:
    found = api(risk_officer).get(COUNTS, {"code": "separation_of_duties"}).json()
    assert found["by_person"] == [{"what": "Mia", "times": 1}]


def test_everybody_else_sees_their_own(
    refusals: Any, ml_engineer: User, outsider: User, api: Any
) -> None:
    assert api(ml_engineer).get(COUNTS).json()["by_person"] == [{"what": "Mia", "times": 1}]
    assert api(outsider).get(COUNTS).json()["by_person"] == []


def test_the_page_tells_the_same(
    refusals: Any, risk_officer: User, ml_engineer: User, client_for: Any
) -> None:
    overseer = client_for(risk_officer).get(PAGE).content.decode()
    assert "No: promotion_not_approved." in overseer
    assert "No: promotion_not_approved." not in client_for(ml_engineer).get(PAGE).content.decode()


def test_nothing_refused_is_said(risk_officer: User, client_for: Any) -> None:
    assert "Nothing was refused." in client_for(risk_officer).get(PAGE).content.decode()


def test_the_page_takes_as_many_queries_for_many_rows(
    refusals: Any, risk_officer: User, client_for: Any, django_assert_max_num_queries: Any
) -> None:
    client = client_for(risk_officer)
    client.get(PAGE)
    with django_assert_max_num_queries(14):
        client.get(PAGE)
