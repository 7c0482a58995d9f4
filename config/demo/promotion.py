"""Chapter five: register, be refused, ask, be judged, be signed, stand in staging."""

from dataclasses import asdict
from typing import Any

from config.demo.experiments import frame_of, plan_for
from config.demo.play import Play
from config.demo.scoping import SLUG
from config.demo.stage import Refusal
from projects.errors import DomainError

#: Two trainings by the same plan on the same rows differ by less than this, or are not the same.
SAME = 1e-6


def promotion(play: Play) -> None:
    """Take the best run's model through gate `validation` to the alias `candidate`."""
    play.stage.chapter("A model version and its validation")
    _register(play)
    play.stage.refused(
        "Sam sets the alias `champion` with the MLflow client",
        lambda: _set_alias(play, "champion"),
        code="promotion_not_approved",
    )
    with play.stage.act("Model card, slices, and comparison with the rule of today") as remarks:
        _document(play)
        remarks.append("evidence with digests, four pictures")
    with play.stage.act("Mia trains it again, by herself") as remarks:
        remarks.append(_train_again(play))
    with play.stage.act("Mia requests the promotion to staging") as remarks:
        review = play.request_promotion("staging", "First model to order the calls by.")
        remarks.append(f"gate “validation”: {play.unmet(review)}")
    play.stage.refused(
        "Sam sets the alias `candidate`; now the review is named",
        lambda: _set_alias(play, "candidate"),
        code="promotion_not_approved",
    )
    play.refuse_signature("Sam, a validator too, signs his own run", "sam", review, "validator")
    play.stage.refused(
        "A program signs with Sam's token",
        lambda: _sign_with_token(play, review),
        code="signing_needs_session",
    )
    play.waive_commit(review)
    with play.stage.act("Vera and Rita sign") as remarks:
        play.sign("vera", review, "validator", "Judged on later months; limits are stated.")
        decided = play.sign("rita", review, "risk_officer", "Harm is small, the limits are known.")
        remarks.append(f"gate is {decided['status']}")
        play.expect(decided["status"] == "approved", "The validation gate did not pass.")
    play.wait_for_alias("staging", "candidate")


def _register(play: Play) -> None:
    _trained, logged = play.memory[play.winner]
    with play.stage.act("Sam registers the model with the MLflow client") as remarks:
        number = play.memory["gateway"].register_model(SLUG, logged)
        found = play.cast["sam"].get("/api/v1/model-versions/", model__name=SLUG, number=number)
        version = found["results"][0]
        play.memory["version"] = version
        remarks.append(f"version {number}, files sha256 {version['files_digest'][:12]}…")


def _set_alias(play: Play, alias: str) -> Refusal | None:
    """Do what any script with the ordinary client does."""
    try:
        with play.memory["gateway"].client() as client:
            client.set_registered_model_alias(SLUG, alias, "1")
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
    apart = [one.as_row() for one in by_slice]
    for kind, title, data in (
        ("model_card", "Model card", _card(play)),
        (
            "champion_comparison",
            "Against the rule of today, on the test months",
            {
                "champion": "rule of today",
                "challenger": play.winner,
                "metrics": rows,
                "slices": apart,
            },
        ),
        ("slice_report", "Slices of the test rows beside the rule of today", {"slices": apart}),
    ):
        play.record("sam", kind, title, data)
    scores = {"rule of today": rules.scores, play.winner: trained.scores}
    for picture in (
        plots.comparison_picture(comparisons),
        plots.roc_curve_picture(trained.target, scores),
        plots.calibration_picture(trained.target, scores),
        plots.lift_picture(trained.target, scores),
    ):
        play.record_plot("sam", picture)


def _train_again(play: Play) -> str:
    """Train by the plan on record, and hold every figure against the logged one."""
    from pipeline.ml import bank, training

    first, _logged = play.memory[play.winner]
    again = training.train(
        frame_of(play), plan_for(bank.FEATURES), play.winner, play.stage.progress
    )
    timed = {name for name in first.metrics if "latency" in name}
    apart = {
        name: abs(value - again.metrics[name])
        for name, value in first.metrics.items()
        if name not in timed
    }
    largest = max(apart.values())
    found = {"passed": largest <= SAME, "largest_difference": largest, "metrics": len(apart)}
    play.record("mia", "reproduction", "Trained again by Mia", found)
    return f"{len(apart)} metrics, largest difference {largest:.1g}"


def _card(play: Play) -> dict[str, Any]:
    trained, _ = play.memory[play.winner]
    rules, _ = play.memory["rule_baseline"]
    by_rule, by_model = (one.metrics["test_roc_auc"] for one in (rules, trained))
    return {
        "details": f"{play.winner.replace('_', ' ')}, scikit-learn, stored as skops.",
        "intended_use": "Order of calls of one monthly campaign; no credit decision.",
        "factors": "Age group and kind of contact; see the report by slice.",
        "metrics": "ROC AUC and lift of the first tenth, as the scope asks.",
        "training_data": f"bank-marketing v{play.memory['dataset']['number']}, "
        f"{trained.params.get('train_months', '')}",
        "evaluation_data": str(trained.params.get("test_months", "")),
        "quantitative_analyses": f"ROC AUC {by_model:.3f} on the test month, the rule of today "
        f"{by_rule:.3f}; intervals in the comparison.",
        "ethical_considerations": "Somebody called less often misses an offer, nothing else.",
        "limits": "Interest rates move the level of the scores; see the monitor.",
        "features_left_out": "duration: known only after the call",
    }


def _sign_with_token(play: Play, review: Any) -> Refusal | None:
    import requests

    from config.demo.doors import TIMEOUT, refusal_of

    place, body = play.signature("sam", review, "validator", "The pipeline is green.")
    headers = {"Authorization": f"Bearer {play.memory['sam_token']}"}
    return refusal_of(
        requests.post(f"{play.base_url}{place}", json=body, headers=headers, timeout=TIMEOUT)
    )
