"""Chapter five: register, be refused, ask, be judged, be signed, be applied."""

import json
from dataclasses import asdict
from typing import Any

from config.demo.play import Play
from config.demo.scoping import SLUG
from config.demo.stage import Refusal
from projects.errors import DomainError


def promotion(play: Play) -> None:
    """Take the best run's model through gate `validation` to the alias `champion`."""
    play.stage.chapter("A model version and its promotion")
    _register(play)
    play.stage.refused(
        "Sam sets the alias `champion` with the MLflow client",
        lambda: _set_alias(play),
        code="promotion_not_approved",
    )
    with play.stage.act("Model card and comparison with the rule of today") as remarks:
        _document(play)
        remarks.append("evidence with digests, four pictures")
    with play.stage.act("Mia requests the promotion") as remarks:
        requested = play.cast["mia"].post("/api/v1/promotions/", _request(play))
        review = play.cast["mia"].get(f"/api/v1/gate-reviews/{requested['review']}/")
        play.memory["champion_review"] = review["id"]
        remarks.append(f"gate “validation”: {play.unmet(review)}")
    play.stage.refused(
        "Sam sets the alias once more; now the review is named",
        lambda: _set_alias(play),
        code="promotion_not_approved",
    )
    play.refuse_signature("Sam, a validator too, signs his own run", "sam", review, "validator")
    play.stage.refused(
        "A program signs with Sam's token",
        lambda: _sign_with_token(play, review),
        code="signing_needs_session",
    )
    with play.stage.act("Vera and Bruno sign") as remarks:
        play.sign("vera", review, "validator", "Judged on later months; limits are stated.")
        decided = play.sign("bruno", review, "business_owner", "Good enough to call by.")
        remarks.append(f"gate is {decided['status']}")
        play.expect(decided["status"] == "approved", "The validation gate did not pass.")
    with play.stage.act("A worker applies it") as remarks:
        play.wait_for("the promotion to be applied", lambda: _applied(play, requested["id"]))
        with play.memory["gateway"].client() as client:
            version = client.get_model_version_by_alias(SLUG, "champion").version
        remarks.append(f"champion is version {version}")
        play.expect(str(version) == "1", "The alias does not point to version 1.")


def _register(play: Play) -> None:
    _trained, logged = play.memory[play.winner]
    with play.stage.act("Sam registers the model with the MLflow client") as remarks:
        number = play.memory["gateway"].register_model(SLUG, logged)
        found = play.cast["sam"].get("/api/v1/model-versions/", model__name=SLUG, number=number)
        version = found["results"][0]
        play.memory["version"] = version
        remarks.append(f"version {number}, files sha256 {version['files_digest'][:12]}…")


def _set_alias(play: Play) -> Refusal | None:
    """Do what any script with the ordinary client does."""
    try:
        with play.memory["gateway"].client() as client:
            client.set_registered_model_alias(SLUG, "champion", "1")
    except DomainError as refusal:
        return Refusal(refusal.code, refusal.message)
    return None


def _document(play: Play) -> None:
    """Put the card, the comparison with the rule of today, and its pictures on record."""
    from pipeline.ml import plots
    from pipeline.ml.evaluation import compare, compare_slices, slices_of

    trained, _logged = play.memory[play.winner]
    rules, _ = play.memory["rule_baseline"]
    comparisons = compare(trained.target, rules.scores, trained.scores)
    rows = [asdict(row) for row in comparisons]
    slices = slices_of(trained.inputs, list(trained.inputs.columns))
    by_slice = compare_slices(trained.target, rules.scores, trained.scores, slices)
    subject = {
        "project": play.project_id,
        "subject_kind": "model_version",
        "subject_ref": f"model_version:{play.memory['version']['id']}",
    }
    sam = play.cast["sam"]
    for kind, title, data in (
        ("model_card", "Model card", _card(play)),
        (
            "champion_comparison",
            "Against the rule of today, on the test months",
            {
                "champion": "rule of today",
                "challenger": play.winner,
                "metrics": rows,
                "slices": [one.as_row() for one in by_slice],
            },
        ),
    ):
        sam.post("/api/v1/evidence/", {**subject, "kind": kind, "title": title, "data": data})
    scores = {"rule of today": rules.scores, play.winner: trained.scores}
    for picture in (
        plots.comparison_picture(comparisons),
        plots.roc_curve_picture(trained.target, scores),
        plots.calibration_picture(trained.target, scores),
        plots.lift_picture(trained.target, scores),
    ):
        described = {"description": picture.description, "table": picture.table}
        form = {**subject, "kind": "plot", "title": picture.title, "data": json.dumps(described)}
        sam.upload("/api/v1/evidence/", form, {"file": ("plot.svg", picture.svg, "image/svg+xml")})


def _card(play: Play) -> dict[str, Any]:
    trained, _ = play.memory[play.winner]
    return {
        "intended_use": "Order of calls of one monthly campaign; no credit decision.",
        "training_data": f"bank-marketing v{play.memory['dataset']['number']}, "
        f"{trained.params.get('train_months', '')}",
        "evaluation_data": str(trained.params.get("test_months", "")),
        "limits": "Interest rates move the level of the scores; see the monitor.",
        "features_left_out": "duration: known only after the call",
    }


def _request(play: Play) -> dict[str, Any]:
    return {
        "project": play.project_id,
        "model_name": SLUG,
        "model_version": 1,
        "subject_ref": f"model_version:{play.memory['version']['id']}",
        "environment": "production",
        "reason": "First model to order the calls by.",
    }


def _sign_with_token(play: Play, review: Any) -> Refusal | None:
    import requests

    from config.demo.doors import TIMEOUT, refusal_of

    place, body = play.signature("sam", review, "validator", "The pipeline is green.")
    headers = {"Authorization": f"Bearer {play.memory['sam_token']}"}
    return refusal_of(
        requests.post(f"{play.base_url}{place}", json=body, headers=headers, timeout=TIMEOUT)
    )


def _applied(play: Play, promotion_id: int) -> Any:
    found = play.cast["mia"].get(f"/api/v1/promotions/{promotion_id}/")
    play.expect(found["status"] != "failed", f"The promotion failed: {found['status_reason']}")
    return found if found["status"] == "applied" else None
