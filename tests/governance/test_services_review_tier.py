"""The tier at which a scope is reviewed: not the document's own choice."""

import pytest

from governance.services import reviews
from tests import factories


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize(
    ("answer", "tier"), [(0, "medium"), (1, "medium"), (3, "high")], ids=["light", "same", "grave"]
)
def test_scope_is_reviewed_at_the_strictest_tier(project, lead, scope_content, actor, answer, tier):
    answers = {name: answer for name in scope_content if name.startswith("tier_")}
    document = factories.submit_scope(project, lead, {**scope_content, **answers})
    request = reviews.ReviewRequest("scope", project, "scoping_document", document.ref)
    review = reviews.request_review(request, actor=actor(lead))
    assert (project.tier, review.tier) == ("medium", tier)
