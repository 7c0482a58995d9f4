"""How long a policy takes over 2,000 past reviews: `python benchmarks/policy_replay.py`.

Fills a database of its own in a temporary directory. The ratio is to loading the same rows.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

QUORUM = "roles: [validator, business_owner], people: 2"
ONE_MORE = "roles: [validator, business_owner, risk_officer], people: 3"


def main() -> None:
    """Print the seconds per 1,000 reviews of a replay, and its ratio to loading the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=2_000)
    count = parser.parse_args().reviews
    root = Path(__file__).resolve().parents[1]
    os.environ["COUNTERSIGN_HOME"] = tempfile.mkdtemp(prefix="countersign-replay-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.path.insert(0, str(root))
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from governance.services.replay import Selection, replay_text
    from projects.actors import system

    call_command("migrate", verbosity=0)
    text = (root / "tests/policies/standard.yaml").read_text(encoding="utf-8")
    _fill(count, text)
    chosen = Selection(limit=count)
    for name, draft in (
        ("the version of then", text),
        ("one role more", text.replace(QUORUM, ONE_MORE)),
        ("every requirement judged anew", _all_anew(text)),
    ):
        replay_text(draft, Selection(limit=10), actor=system("benchmark"))
        with CaptureQueriesContext(connection) as queries:
            replay_text(draft, chosen, actor=system("benchmark"))
        took = _timed(lambda draft=draft: replay_text(draft, chosen, actor=system("benchmark")))
        loading = _timed(_load)
        outcome = replay_text(draft, chosen, actor=system("benchmark"))
        sys.stdout.write(
            f"{name}: {count} reviews, {outcome.summary.changed} would differ, "
            f"{len(queries)} queries, {took / count * 1000:.2f} s per 1,000, "
            f"{took / loading:.1f} times loading the rows\n"
        )


def _timed(run: Any) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begun)
    return best


def _load() -> None:
    from governance.models import Evidence, GateReview, RequirementResult, SignOff

    for model in (GateReview, RequirementResult, SignOff, Evidence):
        list(model.objects.all())


def _all_anew(text: str) -> str:
    """Return the policy with parameters that say the same in other words."""
    anew = text.replace("params: {severity: high}", "params: {severity: critical}")
    anew = anew.replace("any_of: [model_card,", "any_of: [bias_report, model_card,")
    check = "check: commit_recorded"
    return anew.replace(check, f"{check}\n        params: {{allow_dirty: true}}")


def _fill(count: int, text: str) -> None:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from governance.models import Evidence, GateReview, Policy, PolicyVersion
    from projects.models import Project, Stakeholder

    people = {
        role: User.objects.create_user(role)
        for role in ("lead", "ml_engineer", "validator", "business_owner", "risk_officer")
    }
    project = Project.objects.create(slug="many", name="Many", created_by=people["lead"])
    start = timezone.now() - timedelta(days=400)
    for role, user in people.items():
        Stakeholder.objects.create(project=project, user=user, role=role, valid_from=start.date())
    policy = Policy.objects.create(name="standard", title="Standard")
    version = PolicyVersion.objects.create(
        policy=policy, number=1, text=text, digest="0" * 64, status="published"
    )
    attributes = {
        "run_id": "r", "run_status": "FINISHED", "run_started_at": start.isoformat(),
        "commit": "f" * 40, "commit_dirty": False, "signature": True, "format_problem": "",
        "dataset_refs": [], "model_name": "m", "model_number": 1,
    }  # fmt: skip
    GateReview.objects.bulk_create(
        GateReview(
            project=project, gate="validation", policy_version=version,
            subject_kind="model_version", subject_ref=f"model_version:{n}",
            subject_label=f"m v{n}", bindings={"model_files": "a" * 64, "run": "b" * 64},
            bindings_digest="c" * 64, tier="medium", requested_by=people["ml_engineer"],
            facts={"label": "m", "metrics": {"auc": 0.8}, "attributes": attributes,
                   "authors": {"run": [], "registration": [], "evidence": []}, "unmapped": []},
            requested_as="user:2", requested_at=start + timedelta(hours=n),
            status="approved", decided_at=start + timedelta(hours=n + 30),
        )
        for n in range(1, count + 1)
    )  # fmt: skip
    Evidence.objects.bulk_create(
        Evidence(
            project=project, subject_kind="model_version", subject_ref=f"model_version:{n}",
            kind="model_card", title="Card", data={"text": "x"}, digest="d" * 64,
            produced_as="user:1", produced_at=start,
        )
        for n in range(1, count + 1)
    )  # fmt: skip
    _judge_and_sign(people, version)


def _judge_and_sign(people: dict[str, Any], version: Any) -> None:
    from governance.models import GateReview, RequirementResult, SignOff
    from governance.services.policies import parse_text

    reviews = list(GateReview.objects.order_by("pk"))
    rules = parse_text(version.text).gates["validation"].requirements
    RequirementResult.objects.bulk_create(
        (
            RequirementResult(
                review=one, evaluation=1, key=rule.key, title=rule.title, check_name=rule.check,
                outcome="pass", message="It holds.", is_blocking=rule.blocking,
                evaluated_at=one.decided_at,
            )
            for one in reviews
            for rule in rules
        ),
        batch_size=500,
    )  # fmt: skip
    SignOff.objects.bulk_create(
        (
            SignOff(
                review=one, signer=people[role], printed_name=role, role=role, outcome="approved",
                meaning="x", statement="x" * 400, bindings_digest=one.bindings_digest,
                policy_digest=version.digest, method="session+password", sequence=place,
                signed_at=one.requested_at + timedelta(hours=9 * place),
            )
            for one in reviews
            for place, role in enumerate(("validator", "business_owner"), start=1)
        ),
        batch_size=500,
    )  # fmt: skip


if __name__ == "__main__":
    main()
