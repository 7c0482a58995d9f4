"""Refusals: kept, counted, and shown to those who answer for the project."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import DeniedAttempt, GateReview, PolicyVersion
from governance.services import denials, enforcement
from governance.services.enforcement import AliasChange
from projects.errors import NotPermitted, RuleViolated
from projects.models import Project
from tests.factories import StakeholderFactory, session_actor

pytestmark = pytest.mark.django_db
PAGE, COUNTS = "/denied-attempts/", "/api/v1/denied-attempts/counts/"
FILE = "/denied-attempts.csv"


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
            gate="validation",
            model_name="term-deposit-calls" if action == "alias.set" else "",
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
        "by_model": [{"what": "term-deposit-calls", "times": 2}],
        "by_policy": [{"what": "no policy", "times": 3}],
    }


def test_a_refusal_keeps_the_policy_version_and_the_gate_that_it_met(
    review: GateReview, policy: PolicyVersion, data_scientist: User, ml_engineer: User, sign: Any
) -> None:
    StakeholderFactory(project=review.project, user=data_scientist, role="validator")
    with pytest.raises(RuleViolated):
        sign(review, data_scientist, "validator")
    signing = DeniedAttempt.objects.get(action="review.sign")
    assert (signing.policy_version, signing.gate) == (policy, "validation")
    assert signing.model_name == "term-deposit-calls"
    change = AliasChange("term-deposit-calls", "champion", 1)
    with pytest.raises(NotPermitted):
        enforcement.require_alias_change(change, actor=session_actor(ml_engineer))
    moving = DeniedAttempt.objects.get(action="alias.set")
    assert (moving.policy_version, moving.gate) == (policy, "validation")
    counts = denials.counts_of(DeniedAttempt.objects.all())
    assert [(one.what, one.times) for one in counts.by_policy] == [("standard v1, validation", 2)]
    assert [(one.what, one.times) for one in counts.by_model] == [("term-deposit-calls", 2)]


def test_days_narrow_the_page_the_counts_and_the_file(
    refusals: Any, risk_officer: User, api: Any, client_for: Any
) -> None:
    long_ago = timezone.now() - timedelta(days=40)
    DeniedAttempt.objects.filter(pk=refusals[2].pk).update(at=long_ago)
    since = (timezone.now() - timedelta(days=7)).date().isoformat()
    found = api(risk_officer).get(COUNTS, {"at__gte": f"{since}T00:00:00Z"}).json()
    assert found["by_person"] == [{"what": "Sam", "times": 2}]
    for address in (PAGE, FILE):
        shown = client_for(risk_officer).get(address, {"first": since}).content.decode()
        assert "No: promotion_not_approved." in shown
        assert "No: separation_of_duties." not in shown


def test_no_cell_of_the_file_begins_as_a_formula(
    refusals: Any, risk_officer: User, outsider: User, client_for: Any
) -> None:
    DeniedAttempt.objects.filter(pk=refusals[0].pk).update(target="=cmd|'/c calc'!A1")
    answer = client_for(risk_officer).get(FILE)
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == 3
    assert "'=cmd|'/c calc'!A1" in {row["target"] for row in rows}
    assert client_for(outsider).get(FILE).content.decode().count("\n") == 1


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
