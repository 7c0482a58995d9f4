"""Chapter four: a sprint of hypotheses, three approaches, and the random split refuted."""

from typing import Any

from config.demo.play import Play
from config.demo.runs import (
    RunPlan,
    add_item,
    begin,
    closing_words,
    conclude,
    log_trained,
    read_by_mia,
    set_capacity,
)
from config.demo.scoping import SLUG, plan_sprint
from pipeline.adapters.mlflow_client import MlflowGateway


def experiments(play: Play) -> None:
    """Plan the sprint, train three approaches as Sam's own code, and conclude each item."""
    play.stage.chapter("The sprint: hypotheses, experiments, runs")
    lena = play.cast["lena"]
    with play.stage.act("Experiment sprint planned and started") as remarks:
        sprint = plan_sprint(play, "Sprint 1", [f"dataset_version:{play.memory['dataset']['id']}"])
        play.memory["sprint"] = sprint["id"]
        items = {key: add_item(play, sprint["id"], **_item_of(play, key)) for key in ITEMS}
        set_capacity(play, sprint["id"], {"sam": 8, "mia": 3})
        lena.post(f"/api/v1/sprints/{sprint['id']}/start/")
        remarks.append(f"{len(items)} hypotheses and experiments on the board")
    _make_token(play)
    _random_against_temporal(play, items["random"])
    for approach, key in (
        ("rule_baseline", "rules"),
        ("logistic_regression", "logistic"),
        ("gradient_boosting", "boosting"),
    ):
        _train(play, approach, items[key])
    with play.stage.act("The approach to go on with, chosen on validation") as remarks:
        found = {name: play.memory[name][0].metrics["validation_roc_auc"] for name in SAVABLE}
        play.winner = max(found, key=lambda name: found[name])
        remarks.append(", ".join(f"{name} {value:.3f}" for name, value in found.items()))


SAVABLE = ("logistic_regression", "gradient_boosting")
#: What the three experiments have in common, so that they can be compared.
COMMON: dict[str, Any] = {
    "kind": "experiment",
    "details": {
        "split": "by month: 2008 trains, March and April 2009 validate, May 2009 tests",
        "metrics": ["validation_roc_auc", "test_roc_auc"],
        "seed_policy": "seed 0; one run each, since the months are fixed",
        "compute_budget_hours": 1,
        "criterion_keys": ["ranks-later-months", "first-tenth-pays"],
    },
}
ITEMS: dict[str, dict[str, Any]] = {
    "random": {
        "kind": "hypothesis",
        "title": "A random split tells how the model will do on later months",
        "metric_key": "test_roc_auc",
        "expected_effect": "Random and temporal split differ by less than 0.02 ROC AUC",
        "details": {
            "rationale": "The published notebooks split at random and report 0.94.",
            "smallest_effect": "0.02 ROC AUC",
            "dataset_role": "test",
            "criterion_key": "ranks-later-months",
            "size": "S",
        },
    },
    "rules": {"title": "Rules on earlier contacts", "time_box_hours": 16},
    "logistic": {"title": "Logistic regression", "time_box_hours": 24},
    "boosting": {"title": "Tuned gradient boosting", "time_box_hours": 40},
}


def _item_of(play: Play, key: str) -> dict[str, Any]:
    """Return what is known of an item before its sprint starts."""
    item = ITEMS[key]
    if key == "random":
        dataset = f"dataset_version:{play.memory['dataset']['id']}"
        return {**item, "details": {**item["details"], "dataset_ref": dataset}}
    makes_baseline = {"makes_baseline": True} if key == "rules" else {}
    return {**COMMON, **item, "details": {**COMMON["details"], **makes_baseline}}


def _run_plan(play: Play) -> RunPlan:
    return RunPlan(f"{SLUG}/calls", play.memory["sprint"], play.memory["dataset"])


def _make_token(play: Play) -> None:
    with play.stage.act("Sam makes an API token for his own code") as remarks:
        token = play.cast["sam"].post("/api/v1/tokens/", {"name": "notebook", "days": 7})["token"]
        play.memory["sam_token"] = token
        play.memory["gateway"] = MlflowGateway(f"{play.base_url}/mlflow", token)
        remarks.append("shown once, may log runs, may never sign")


def frame_of(play: Play) -> Any:
    """Return the calls with their months, read once."""
    if "frame" not in play.memory:
        from config.demo.data import FIXTURES
        from pipeline.ml import bank, tables

        raw = (FIXTURES / "bank-additional-full.csv.gz").read_bytes()
        play.memory["frame"] = bank.with_periods(tables.read_table(raw, bank.SPEC))
    return play.memory["frame"]


def plan_for(features: Any, **changes: Any) -> Any:
    """Return the training plan on the bank's months for these columns."""
    from pipeline.ml import bank
    from pipeline.ml.training import TrainingPlan

    plan = {"blocks": bank.BLOCKS, **changes}
    return TrainingPlan(features=features, target=bank.TARGET, positive=bank.POSITIVE, **plan)


def _random_against_temporal(play: Play, item: int) -> None:
    """Train the same model on both splits, with and without the leak, and refute the hypothesis."""
    from pipeline.ml import bank, training

    with play.stage.act("The copied way (random split) beside the honest one") as remarks:
        begin(play, item)
        quick: dict[str, Any] = {"grid": {}, "blocks": None}
        shuffled = plan_for(bank.EVERYTHING, **quick)
        leaking = plan_for(bank.WITH_LEAK, **quick)
        values = {}
        for name, plan in (("leak", leaking), ("random", shuffled)):
            trained = training.train(frame_of(play), plan, training.LOGISTIC, play.stage.progress)
            values[name] = trained.metrics["random_roc_auc"]
            log_trained(play, _run_plan(play), f"random split, {name}", trained, item)
        same = plan_for(bank.EVERYTHING, grid={})
        trained = training.train(frame_of(play), same, training.LOGISTIC, play.stage.progress)
        values["temporal"] = trained.metrics["test_roc_auc"]
        log_trained(play, _run_plan(play), "temporal split, same columns", trained, item)
        verdict = (
            f"ROC AUC {values['leak']:.2f} with `duration`, {values['random']:.2f} on a random "
            f"split, {values['temporal']:.2f} on later months"
        )
        play.expect(values["random"] > values["temporal"], "The random split did not flatter.")
        found = {
            "effect": f"{values['random'] - values['temporal']:.3f} ROC AUC too high",
            "effect_uncertainty": "one run on each split, fixed seed; no interval was taken",
            "changes_to_scope": "None: the scope splits by month, and this says why.",
        }
        conclude(play, item, "refuted", verdict, found)
        remarks.append(f"{verdict}; hypothesis refuted")


def _train(play: Play, approach: str, item: int) -> None:
    from pipeline.ml import bank, training

    with play.stage.act(approach.replace("_", " ").capitalize()) as remarks:
        rules = play.memory.get("rule_baseline")
        begin(play, item, {"baseline_run": rules[1].run_id} if rules else {})
        trained = training.train(
            frame_of(play), plan_for(bank.FEATURES), approach, play.stage.progress
        )
        logged = log_trained(
            play, _run_plan(play), approach, trained, item, with_model=trained.is_savable
        )
        metrics = trained.metrics
        finding = (
            f"test ROC AUC {metrics['test_roc_auc']:.3f}, "
            f"lift of the first tenth {metrics['test_lift_top_decile']:.2f}"
        )
        play.memory[approach] = (trained, logged)
        baseline = play.memory["rule_baseline"][0]
        read_by_mia(play, item, finding)
        conclude(play, item, "concluded", finding, closing_words(trained, baseline, "the rules"))
        remarks.append(f"{finding}, run {logged.run_id[:8]}")
