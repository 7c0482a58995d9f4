"""Writing, assessing, submitting and deciding scoping documents."""

from projects.services import scoping


def test_balanced_scope_is_submittable(project, lead, scope_content, actor):
    draft = scoping.write_draft(project, actor=actor(lead), content=scope_content)
    readiness = scoping.assess(draft)
    assert readiness.reasons == []
    assert readiness.under_scoped.score == 0
    assert readiness.over_scoped.score == 0
    assert readiness.score >= 85, readiness.lost


def test_approved(approved_scope):
    assert approved_scope.status == "approved"
