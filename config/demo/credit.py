"""Chapter nine: consumer credit, a high-risk use, up to the validation that still waits."""

import json
from datetime import date, timedelta
from typing import Any

from django.conf import settings

from config.demo.cast import found_project
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

SLUG = "consumer-credit"
FIXTURES = settings.BASE_DIR / "fixtures"
#: What the three experiments have in common, so that they can be compared.
COMMON: dict[str, Any] = {
    "split": "three fifths train, one fifth validates, one fifth tests, stratified",
    "metrics": ["validation_roc_auc", "test_roc_auc", "test_cost_per_100"],
    "seed_policy": "seed 7 for split and training; one run each",
    "compute_budget_hours": 1,
    "criterion_keys": ["ranks-by-risk", "costs-less"],
}
ITEMS: dict[str, dict[str, Any]] = {
    "rule_baseline": {"title": "The checking account alone", "time_box_hours": 8},
    "logistic_regression": {"title": "Logistic regression", "time_box_hours": 24},
    "gradient_boosting": {"title": "Tuned gradient boosting", "time_box_hours": 32},
}


def credit(play: Play) -> None:
    """Scope, release and train on German credit, and stop where signatures are missing."""
    play.stage.chapter("A second project: consumer credit, high risk, in validation")
    with play.stage.act("Project founded; Pia watches over privacy") as remarks:
        project = found_project(
            SLUG,
            "Consumer credit",
            "How likely is it that a consumer credit goes bad?",
            tier="high",
        )
        play.project_id = project.pk
        remarks.append("tier high: three roles sign at each gate, one role a person")
    _scope(play)
    dataset = _data(play)
    sprint, items = _sprint(play, dataset)
    _experiments(play, RunPlan(f"{SLUG}/hold-out", sprint["id"], dataset), items)
    _promotion(play)


def _scope(play: Play) -> None:
    lena = play.cast["lena"]
    with play.stage.act("Scope written, submitted and signed by four") as remarks:
        content = json.loads((FIXTURES / "scopes" / "german-credit.json").read_text())
        body = {"project": play.project_id, "content": content}
        scope = lena.post("/api/v1/scoping-documents/", body)
        lena.post(f"/api/v1/scoping-documents/{scope['id']}/submit/")
        impact = {
            "rights": "A refused credit can be asked for again; two clerks decide, not the score.",
            "data": "Published and anonymous; protected attributes are watched, never learned.",
        }
        about = f"scoping_document:{scope['id']}"
        play.record("pia", "impact_assessment", "Impact on rights and data", impact, about=about)
        review = play.request_review("lena", "scope", "scoping_document", scope["id"])
        play.sign("bruno", review, "business_owner", "Worth it if clerks stay in charge.")
        play.sign("olga", review, "operations", "One more answer a second is no burden.")
        play.sign("dora", review, "data_owner", "The record may be used for this.")
        decided = play.sign("rita", review, "risk_officer", "The groups are watched.")
        play.expect(decided["status"] == "approved", "The scope gate did not pass.")
        remarks.append(f"gate is {decided['status']}")


def _data(play: Play) -> Any:
    from pipeline.ml import credit as table

    sam = play.cast["sam"]
    with play.stage.act("A thousand credits registered, explored and released") as remarks:
        datasheet = json.loads((FIXTURES / "datasheets" / "german-credit.json").read_text())
        raw = (FIXTURES / "german.data").read_bytes()
        form = {
            "project": str(play.project_id),
            "name": "german-credit",
            "separator": table.SEPARATOR,
            "target": table.TARGET,
            "positive": table.POSITIVE,
            "required_columns": list(table.COLUMNS),
            "origin": datasheet["origin"],
            "datasheet": json.dumps(datasheet),
        }
        file = ("german-credit.txt", table.with_header(raw), "text/plain")
        dataset = sam.upload("/api/v1/datasets/", form, {"file": file})
        job = sam.post(f"/api/v1/datasets/{dataset['id']}/explore/")
        sam.wait_for_job(job["id"], play.stage.progress)
        _look_for_people(play, f"dataset_version:{dataset['id']}")
        review = play.request_review("sam", "data", "dataset_version", dataset["id"])
        play.sign("dora", review, "data_owner", "Released for this purpose.")
        play.sign("lena", review, "lead", "Fit for the sprint.")
        decided = play.sign("pia", review, "privacy_officer", "Anonymous, published, watched.")
        play.expect(decided["status"] == "approved", "The data gate did not pass.")
        remarks.append(f"{dataset['row_count']:,} rows, gate is {decided['status']}")
    return dataset


def _look_for_people(play: Play, about: str) -> None:
    """Record what the gate asks at high risk: the lawful basis, and who is in the data."""
    from pipeline.ml import credit as table

    frame = table.read((FIXTURES / "german.data").read_bytes())
    privacy = {
        "lawful_basis": "Published for research.",
        "personal_data": "None: no names, no keys.",
    }
    shares = frame["personal_status"].value_counts(normalize=True).round(3)
    profile = {"rows": len(frame), "share_by_personal_status": shares.to_dict()}
    play.record("pia", "privacy_assessment", "Search for personal data", privacy, about=about)
    play.record("sam", "bias_profile", "Who is in the data", profile, about=about)


def _sprint(play: Play, dataset: Any) -> tuple[Any, dict[str, int]]:
    lena = play.cast["lena"]
    today = date.today()  # noqa: DTZ011 - a sprint starts on a calendar day
    with play.stage.act("Experiment sprint started") as remarks:
        sprint = lena.post(
            "/api/v1/sprints/",
            {
                "project": play.project_id,
                "name": "Credit 1",
                "kind": "experiment",
                "goal": "Compare three approaches on one hold-out, each group apart.",
                "starts_on": today.isoformat(),
                "ends_on": (today + timedelta(days=14)).isoformat(),
                "dataset_refs": [f"dataset_version:{dataset['id']}"],
            },
        )
        items = {
            approach: add_item(
                play, sprint["id"], kind="experiment", **item, details=_known(approach)
            )
            for approach, item in ITEMS.items()
        }
        set_capacity(play, sprint["id"], {"sam": 8, "mia": 2})
        lena.post(f"/api/v1/sprints/{sprint['id']}/start/")
        remarks.append(f"{sprint['name']}, {len(items)} experiments")
    return sprint, items


def _experiments(play: Play, plan: RunPlan, items: dict[str, int]) -> None:
    from pipeline.ml import credit as table
    from pipeline.ml import training

    frame = table.read((FIXTURES / "german.data").read_bytes())
    for approach, number in items.items():
        with play.stage.act(approach.replace("_", " ").capitalize()) as remarks:
            trained = training.train(frame, _plan(approach), approach, play.stage.progress)
            cost = table.cost_per_100(trained.target, trained.scores)
            rule = play.memory.get("credit:rule_baseline")
            begin(play, number, {"baseline_run": rule[1].run_id} if rule else None)
            logged = log_trained(
                play,
                plan,
                approach,
                trained,
                number,
                metrics={"test_cost_per_100": cost, **_by_group(trained)},
                with_model=trained.is_savable,
            )
            play.memory[f"credit:{approach}"] = (trained, logged)
            finding = f"test ROC AUC {trained.metrics['test_roc_auc']:.3f}, cost {cost:.1f} for 100"
            baseline = play.memory["credit:rule_baseline"][0]
            read_by_mia(play, number, finding)
            words = closing_words(trained, baseline, "the checking account")
            conclude(play, number, "concluded", finding, words)
            remarks.append(finding)


def _known(approach: str) -> dict[str, Any]:
    return {**COMMON, "makes_baseline": True} if approach == "rule_baseline" else COMMON


def _plan(approach: str) -> Any:
    from pipeline.ml import credit as table
    from pipeline.ml.training import RULE, TrainingPlan

    return TrainingPlan(
        features=table.FEATURES,
        target=table.TARGET,
        positive=table.POSITIVE,
        blocks=None,
        is_unordered=True,
        params=table.RULE if approach == RULE else {},
    )


def _by_group(trained: Any) -> dict[str, float]:
    from pipeline.ml import credit as table

    found = table.slice_auc(trained.inputs, trained.target, trained.scores)
    return {f"test_roc_auc/{group.replace('=', '/')}": value for group, value in found.items()}


def _promotion(play: Play) -> None:
    with play.stage.act("Logistic regression registered and put up for staging") as remarks:
        _, logged = play.memory["credit:logistic_regression"]
        number = play.memory["gateway"].register_model(SLUG, logged)
        found = play.cast["sam"].get("/api/v1/model-versions/", model__name=SLUG, number=number)
        play.memory["version"] = found["results"][0]
        _document(play)
        review = play.request_promotion("staging", "First estimate beside the clerks' judgement.")
        play.memory["credit_review"] = review["id"]
        remarks.append(play.unmet(review))
        signed = play.sign("vera", review, "validator", "Judged on the hold-out, by group.")
        play.expect(signed["status"] == "open", f"The review is already {signed['status']}.")
        remarks.append("Vera has signed; risk officer, expert and some evidence are waited for")


def _document(play: Play) -> None:
    """Put the card and the comparison with the rule of today on record, as a whole and by group."""
    from pipeline.ml import credit as table
    from pipeline.ml import plots
    from pipeline.ml.evaluation import compare, compare_slices

    rule, _ = play.memory["credit:rule_baseline"]
    trained, _ = play.memory["credit:logistic_regression"]
    comparisons = compare(trained.target, rule.scores, trained.scores)
    groups = table.slices(trained.inputs)
    by_group = compare_slices(trained.target, rule.scores, trained.scores, groups)
    apart = [one.as_row() for one in by_group]
    compared = {
        "champion": "checking account",
        "challenger": "logistic",
        "metrics": [row.as_row() for row in comparisons],
        "slices": apart,
    }
    play.record("sam", "model_card", "Model card", CARD)
    play.record("sam", "champion_comparison", "Against the rule of today, held out", compared)
    play.record("sam", "slice_report", "Each group beside the rule", {"slices": apart})
    play.record_plot("sam", plots.comparison_picture(comparisons))


CARD = {
    "intended_use": "One fact among several beside an application; two clerks decide.",
    "training_data": "german-credit, four fifths of the rows, stratified",
    "evaluation_data": "german-credit, the fifth that was held out",
    "limits": "Only granted credits are on record; 200 test rows tell small groups apart badly.",
    "features_left_out": "personal_status, age, foreign_worker: watched, never learned from",
}
