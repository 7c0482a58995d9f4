"""Chapter eight: the months that followed, the monitor, and a candidate that has to ask."""

from typing import Any

from config.demo.experiments import frame_of
from config.demo.meetings import end_of_sprint
from config.demo.play import Play
from config.demo.scoping import SLUG
from config.demo.serving import split_of

BATCH = 2_000


def months(play: Play) -> None:
    """Send later months as traffic, let the labels arrive late, and see what the monitor does."""
    play.stage.chapter("The following months")
    monitor = _set_up_monitor(play)
    _traffic(play)
    _looks(play, monitor)
    with play.stage.act("What the breach did") as remarks:
        _aftermath(play, remarks)
    _candidate(play)
    end_of_sprint(play)


def _set_up_monitor(play: Play) -> Any:
    from pipeline.ml import bank

    with play.stage.act("Mia sets up the monitor and the retraining envelope") as remarks:
        mia = play.cast["mia"]
        limits = {
            "psi_limit": 0.2,
            "performance_limits": {"roc_auc": 0.58, "calibration_error": 0.08},
        }
        monitor = mia.post("/api/v1/monitors/", {"deployment": SLUG, **limits})
        envelope = {"features": bank.FEATURES.as_dict(), "approach": play.winner, "max_drop": 0.02}
        mia.post("/api/v1/retraining-policies/", {"deployment": SLUG, "envelope": envelope})
        remarks.append("fires at PSI 0.2, ROC AUC 0.58 or calibration error 0.08")
        return monitor


def _traffic(play: Play) -> None:
    from pipeline.ml import bank
    from pipeline.ml.splits import rows_of

    frame = frame_of(play)
    labels: dict[str, int] = {}
    for window in bank.WINDOWS:
        rows = frame.iloc[rows_of(frame[bank.PERIOD], window)]
        with play.stage.act(f"Calls of {window} scored") as remarks:
            labels |= _send(play, rows, bank)
            remarks.append(f"{len(rows):,} rows")
    with play.stage.act("The outcomes arrive, months later") as remarks:
        answer = play.cast["mia"].post(f"/serve/{SLUG}/labels", {"labels": labels})
        remarks.append(f"{answer['labelled']:,} labels joined")


def _looks(play: Play, monitor: Any) -> None:
    """Let the monitor look at each window; it has to fire on the way."""
    from pipeline.ml import bank

    fired = False
    for window in bank.WINDOWS:
        with play.stage.act(f"The monitor looks at {window}") as remarks:
            report = _look(play, monitor, window)
            fired = fired or bool(report["breaches"])
            remarks.extend(report["breaches"][:2] or ["nothing unusual"])
    play.expect(fired, "The monitor never fired.")


def _send(play: Play, rows: Any, bank: Any) -> dict[str, int]:
    """Score the rows in batches; return what will turn out to be true of each prediction."""
    mia = play.cast["mia"]
    times = [time.isoformat() for time in bank.event_times(rows)]
    truth: dict[str, int] = {}
    for start in range(0, len(rows), BATCH):
        part = rows.iloc[start : start + BATCH]
        body = {
            "dataframe_split": split_of(part),
            "params": {"event_time": times[start : start + BATCH]},
        }
        answer = mia.request("POST", f"/serve/{SLUG}/invocations", json=body)
        play.expect(answer.ok, f"Scoring answered {answer.status_code}: {answer.text[:300]}")
        ids = answer.json()["metadata"]["prediction_ids"]
        outcomes = (part[bank.TARGET] == bank.POSITIVE).astype(int).tolist()
        truth |= dict(zip(ids, outcomes, strict=True))
        play.stage.progress((start + len(part)) * 100 // len(rows), "scored")
    return truth


def _look(play: Play, monitor: Any, window: Any) -> Any:
    year, month = (int(part) for part in window.last.split("-"))
    end = f"{year + month // 12}-{month % 12 + 1:02d}-01T00:00:00Z"
    body = {"window_start": f"{window.first}-01T00:00:00Z", "window_end": end}
    mia = play.cast["mia"]
    job = mia.post(f"/api/v1/monitors/{monitor['id']}/run/", body)
    mia.wait_for_job(job["id"], play.stage.progress)
    reports = mia.get("/api/v1/drift-reports/", monitor=monitor["id"])["results"]
    return next(one for one in reports if one["window_start"].startswith(window.first))


def _aftermath(play: Play, remarks: list[str]) -> None:
    vera = play.cast["vera"]
    findings = vera.get("/api/v1/findings/", status="open")["results"]
    play.expect(findings, "The breach opened no finding.")
    remarks.append(f"finding “{findings[0]['title']}”")
    review = vera.get(f"/api/v1/gate-reviews/{play.memory['champion_review']}/")
    play.expect(review["status"] == "suspended", f"The approval is still {review['status']}.")
    remarks.append("approval suspended")
    verdict = vera.get("/api/v1/may-deploy/", model=SLUG, version=1, environment="production")
    play.expect(not verdict["allowed"], "may-deploy still says yes.")
    remarks.append("may-deploy says no")


def _candidate(play: Play) -> None:
    mia = play.cast["mia"]
    with play.stage.act("A retraining job trains a candidate and asks") as remarks:
        job = play.wait_for("the retraining job", lambda: _first(mia, "/api/v1/jobs/?kind=retrain"))
        job = mia.wait_for_job(job["id"], play.stage.progress)
        waiting = _first(mia, "/api/v1/promotions/?status=requested")
        play.expect(waiting, "No promotion was requested.")
        remarks.append(
            f"version {waiting['model_version']} waits; requested as {waiting['requested_as']}"
        )
        asked = {"subject_ref": waiting["subject_ref"], "status": "open"}
        reviews = play.cast["vera"].get("/api/v1/gate-reviews/", **asked)["results"]
        gates = {review["gate"]: review["id"] for review in reviews}
        play.expect(
            set(gates) == {"validation", "pre_production", "production"},
            f"The candidate waits at {', '.join(gates) or 'no gate'}.",
        )
        play.memory["candidate_review"] = gates["validation"]
        remarks.append(f"at the gates {', '.join(sorted(gates))}")


def _first(visitor: Any, path: str) -> Any:
    found = visitor.get(path)["results"]
    return found[0] if found else None
