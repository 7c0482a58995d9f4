"""Addresses of the pages of governance."""

from django.urls import path

from governance.views import (
    check_runs,
    dossiers,
    environments,
    evidence,
    findings,
    handing_over,
    inbox,
    lineage,
    promotions,
    reviews,
    signing,
    sprints,
)

app_name = "governance"

urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read/", inbox.read_notices, name="read-notices"),
    path("inbox/settings/", inbox.notice_settings, name="notice-settings"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<int:pk>/", reviews.review, name="review"),
    path("reviews/<int:pk>/sign/", signing.sign, name="sign"),
    path("reviews/<int:pk>/evaluate/", reviews.evaluate, name="evaluate"),
    path("reviews/<int:pk>/refresh/", reviews.refresh, name="refresh"),
    path("reviews/<int:pk>/suspend/", reviews.suspend, name="suspend"),
    path("reviews/<int:pk>/withdraw/", reviews.withdraw, name="withdraw"),
    path("reviews/<int:pk>/feedback/", reviews.feedback, name="feedback"),
    path("reviews/<int:pk>/findings/", findings.raise_finding, name="raise-finding"),
    path("reviews/<int:pk>/hand-over/", handing_over.hand_over, name="hand-over"),
    path("reviews/<int:pk>/assign/", handing_over.assign, name="assign"),
    path("reviews/<int:pk>/delegate/", handing_over.delegate, name="delegate"),
    path("reviews/<int:pk>/due/", handing_over.move_due_date, name="move-due-date"),
    path("sprints/<int:pk>/gate/", sprints.sprint_review, name="sprint-review"),
    path("reviews/<int:pk>/check-runs/", check_runs.check_runs, name="check-runs"),
    path("reviews/<int:pk>/check-runs/start/", check_runs.start, name="start-check"),
    path("check-runs/<int:pk>/cancel/", check_runs.cancel, name="cancel-check"),
    path("check-runs/<int:pk>/retry/", check_runs.retry, name="retry-check"),
    path("reviews/<int:pk>/dossier/", dossiers.dossier, name="dossier"),
    path("reviews/<int:pk>/dossier/document/", dossiers.document, name="dossier-document"),
    path("reviews/<int:pk>/dossier/issue/", dossiers.issue, name="issue-dossier"),
    path("dossiers/<str:digest>/", dossiers.issued, name="issued-dossier"),
    path("denied-attempts/", promotions.denied_attempts, name="denied-attempts"),
    path("denied-attempts.csv", promotions.denied_attempts_csv, name="denied-attempts-csv"),
    path("environments/", environments.environments, name="environments"),
    path("environments/<slug:name>/", environments.environment, name="environment"),
    path("promotions/<int:pk>/retire/", promotions.retire, name="retire"),
    path("promotions/<int:pk>/roll-back/", promotions.roll_back, name="roll-back"),
    path("evidence/<int:pk>/content/", evidence.evidence_content, name="evidence-content"),
    path("findings/<int:pk>/", findings.finding, name="finding"),
    path("findings/<int:pk>/resolve/", findings.resolve, name="resolve-finding"),
    path("findings/<int:pk>/reopen/", findings.reopen, name="reopen-finding"),
    path("findings/<int:pk>/close/", findings.close, name="close-finding"),
    path("lineage/", lineage.model_versions, name="model-versions"),
    path(
        "lineage/<path:name>/<int:number>/promotion/",
        lineage.request_promotion,
        name="request-promotion",
    ),
    # Registered models may carry any character in MLflow, a slash too.
    path("lineage/<path:name>/<int:number>/", lineage.lineage, name="lineage"),
]
