"""Chapter six: what two more gates ask to see, tried out on the running service, and signed."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from config.demo.play import Play
from config.demo.scoping import SLUG

ROWS = 200
CALLS, ROUNDS = 60, 3
#: What the scope asks of an answer, in milliseconds.
LATENCY_LIMIT = 200
#: The service and the run score by the same code; what is further apart is another model.
SAME = 1e-9
ALIASES = {"staging": "candidate", "canary": "canary", "production": "champion"}


def release(play: Play) -> None:
    """Try the version out in staging and on the canary, and take it to the alias `champion`."""
    play.stage.chapter("Staging, canary, production")
    _deploy(play, "staging")
    for title, rehearse in (
        ("Two forms of the same request give the same answers", _integration),
        (f"{CALLS} calls, one after the other, {ROUNDS} times", _load),
        ("The files are scanned for what they could run", _scan),
    ):
        with play.stage.act(title) as remarks:
            remarks.append(rehearse(play))
    _papers(play)
    _promote(play, "canary", {"olga": "operations", "rita": "risk_officer"})
    _deploy(play, "canary")
    with play.stage.act("The canary beside the rule of today") as remarks:
        remarks.append(_canary(play))
    _accept_risk(play)
    signers = {"bruno": "business_owner", "rita": "risk_officer", "olga": "operations"}
    _promote(play, "production", signers)
    play.memory["champion_review"] = play.memory["production_review"]


def _promote(play: Play, environment: str, signers: Mapping[str, str]) -> None:
    with play.stage.act(f"Mia requests the promotion to {environment}") as remarks:
        review = play.request_promotion(environment, "It passed the gate before.")
        remarks.append(f"gate “{review['gate']}”: {play.unmet(review)}")
    if environment == "canary":
        _waive_rollback(play, review)
    names = [name.capitalize() for name in signers]
    with play.stage.act(f"{', '.join(names[:-1])} and {names[-1]} sign") as remarks:
        for who, role in signers.items():
            decided = play.sign(who, review, role, WORDS[role])
        remarks.append(f"gate is {decided['status']}")
        play.expect(
            decided["status"] == "approved",
            f"The gate {review['gate']} did not pass: {decided['unmet']}",
        )
    play.wait_for_alias(environment, ALIASES[environment])


WORDS = {
    "operations": "We can run it, watch it and switch it off.",
    "risk_officer": "The tests are on record; what remains is small and named.",
    "business_owner": "Good enough to call by.",
}


def _deploy(play: Play, environment: str) -> None:
    with play.stage.act(f"Mia deploys it to {environment}") as remarks:
        slug = f"{SLUG}-{environment}"
        body = {"slug": slug, "model": SLUG, "environment": environment}
        play.cast["mia"].post("/api/v1/deployments/", body)
        remarks.append(f"/serve/{slug}/invocations")


def _rows(play: Play) -> Any:
    """Return the first rows of the test month as the model reads them, scores and outcomes."""
    trained, _logged = play.memory[play.winner]
    return trained.inputs.head(ROWS), trained.scores[:ROWS].tolist(), trained.target[:ROWS]


def _score(play: Play, environment: str, body: Mapping[str, Any]) -> Any:
    place = f"/serve/{SLUG}-{environment}/invocations"
    answer = play.cast["mia"].request("POST", place, json=body)
    play.expect(answer.ok, f"Scoring answered {answer.status_code}: {answer.text[:300]}")
    return answer.json()["predictions"]


def _split(inputs: Any) -> dict[str, Any]:
    return {"columns": list(inputs.columns), "data": inputs.to_numpy(dtype=object).tolist()}


def _integration(play: Play) -> str:
    inputs, scores, _target = _rows(play)
    split = _score(play, "staging", {"dataframe_split": _split(inputs)})
    records = [dict(zip(inputs.columns, row, strict=True)) for row in _split(inputs)["data"]]
    by_record = _score(play, "staging", {"dataframe_records": records})
    apart = max(abs(one - other) for one, other in zip(split, scores, strict=True))
    found = {"passed": split == by_record and apart < SAME, "rows": ROWS, "apart": apart}
    play.record("mia", "integration_test", "Answers over HTTP against the run's own scores", found)
    return f"{ROWS} rows, largest difference to the run's own scores {apart:.1g}"


def _load(play: Play) -> str:
    """Call with one row at a time; the best round counts, so that other work counts less."""
    inputs, _scores, _target = _rows(play)
    body = {"dataframe_split": _split(inputs.head(1))}
    p95 = min(_round(play, body) for _ in range(ROUNDS))
    found = {"passed": p95 <= LATENCY_LIMIT, "calls": CALLS, "rounds": ROUNDS, "p95_ms": p95}
    play.record("mia", "load_test", f"{CALLS} calls of one row each, best of {ROUNDS}", found)
    return f"95 % answered within {p95:.0f} ms of {LATENCY_LIMIT} ms"


def _round(play: Play, body: Mapping[str, Any]) -> float:
    spent = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        _score(play, "staging", body)
        spent.append((time.perf_counter() - begun) * 1000)
    return sorted(spent)[int(0.95 * CALLS) - 1]


def _scan(play: Play) -> str:
    from pipeline.adapters.model_files import inspect

    version = play.memory["version"]
    report = inspect(Path(settings.ARTIFACT_ROOT, version["artifact_path"]))
    found = {"passed": not report.problem, "problem": report.problem}
    play.record("mia", "security_scan", "Scan of the files and of the types in them", found)
    return report.problem or "skops, trusted types only"


def _papers(play: Play) -> None:
    with play.stage.act("Runbook by Olga, trial by four people of the call centre") as remarks:
        runbook = {
            "on_call": "IT operations, day and night",
            "switch_off": "Suspend the promotion; the dialler falls back to the rule of today.",
            "look_first": "Health of the deployment, then the newest drift report.",
        }
        play.record("olga", "runbook", "Runbook of the ranking of calls", runbook)
        trial = {"passed": True, "people": 4, "wishes": "Say which fact weighed most."}
        play.record("bruno", "uat_survey", "A morning's calls by the list", trial)
        remarks.append("on record")


def _waive_rollback(play: Play, review: Any) -> None:
    with play.stage.act(
        "Rita waives the rollback drill: there is no version to go back to"
    ) as said:
        waiver = play.waive(
            "rita",
            review,
            "rollback",
            "It is the first version.",
            "The dialler falls back to the rule of today, which was tried.",
        )
        said.append(f"until {waiver['expires_at'][:10]}")


def _canary(play: Play) -> str:
    from pipeline.ml.metrics import METRICS

    rules, _ = play.memory["rule_baseline"]
    inputs, _scores, target = _rows(play)
    scores = _score(play, "canary", {"dataframe_split": _split(inputs)})
    measure = METRICS["roc_auc"]
    canary, rule = measure(target, scores), measure(target, rules.scores[:ROWS])
    found = {"passed": bool(canary > rule), "rows": ROWS, "roc_auc": canary, "rule_of_today": rule}
    play.record("mia", "canary_result", f"{ROWS} calls ranked beside the rule of today", found)
    return f"ROC AUC {canary:.3f}, the rule of today {rule:.3f}"


def _accept_risk(play: Play) -> None:
    with play.stage.act("Bruno states the risk that remains") as remarks:
        accepted = {
            "risk": "When interest rates move, scores are too sure and the list gets worse.",
            "accepted_because": "A worse list costs calls, and the monitor sees it.",
        }
        play.record("bruno", "residual_risk", "Remaining risk of the ranking", accepted)
        remarks.append("on record")
