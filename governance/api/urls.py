"""Addresses of the REST resources of governance."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from governance.api.views import (
    check_runs,
    duties,
    eligibility,
    inbox,
    policies,
    promotions,
    records,
    reviews,
)

router = SimpleRouter()
router.register("policies", policies.PolicyViewSet, basename="policy")
router.register("policy-versions", policies.PolicyVersionViewSet, basename="policy-version")
router.register("environments", policies.EnvironmentViewSet, basename="environment")
router.register("gate-reviews", reviews.GateReviewViewSet, basename="gate-review")
router.register("check-runs", check_runs.CheckRunViewSet, basename="check-run")
router.register("evidence", reviews.EvidenceViewSet, basename="evidence")
router.register("sign-offs", reviews.SignOffViewSet, basename="sign-off")
router.register("promotions", promotions.PromotionViewSet, basename="promotion")
router.register("denied-attempts", promotions.DeniedAttemptViewSet, basename="denied-attempt")
router.register("findings", records.FindingViewSet, basename="finding")
router.register("waivers", records.WaiverViewSet, basename="waiver")
router.register("delegations", records.DelegationViewSet, basename="delegation")
router.register("conditions", duties.ConditionViewSet, basename="condition")
router.register("overrides", duties.OverrideViewSet, basename="override")
router.register("lineage", records.LineageViewSet, basename="lineage")
router.register("review-notices", inbox.ReviewNoticeViewSet, basename="review-notice")

urlpatterns = [
    path("inbox/", inbox.InboxView.as_view(), name="inbox"),
    path(
        "gates/<slug:gate>/eligibility/",
        eligibility.OutlookView.as_view(),
        name="gate-eligibility",
    ),
    path("may-deploy/", promotions.MayDeployView.as_view(), name="may-deploy"),
]
