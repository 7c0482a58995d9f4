"""The end of the first sprint: shown, looked back on, and closed with a snapshot."""

from datetime import date, timedelta
from typing import Any

from config.demo.play import Play


def end_of_sprint(play: Play) -> None:
    """Record review and retrospective of the sprint, and close it."""
    lena, sprint = play.cast["lena"], play.memory["sprint"]
    with play.stage.act("Sprint 1 reviewed with Bruno and Dora") as remarks:
        feedback = [
            {"sentiment": "positive", "text": "The first tenth is where we would call first."},
            {"sentiment": "negative", "text": "Probabilities look too sure in the spring."},
            {"sentiment": "idea", "text": "Tell the agents which fact weighed most."},
        ]
        shown = {"shown": "The list of May 2009, ranked by each approach."}
        demo = "Calls of November 2010"
        _record(play, "review", demo_dataset=demo, feedback=feedback, output=shown)
        remarks.append("negative feedback became a work item, the idea is parked")
    with play.stage.act("Retrospective, and the sprint closed") as remarks:
        due = (_today() + timedelta(days=14)).isoformat()
        notes = [
            {"kind": "keep", "text": "One split and the same metrics for every approach."},
            {"kind": "change", "text": "Look at calibration before the review, not in it."},
        ]
        action = {"text": "Add a calibration plot to every run.", "owner": "sam", "due": due}
        _record(play, "retrospective", retro_notes=notes, actions=[action])
        closed = lena.post(f"/api/v1/sprints/{sprint}/close/")
        play.expect(closed["status"] == "closed", f"The sprint is {closed['status']}.")
        snapshot = lena.get(f"/api/v1/sprints/{sprint}/snapshot/")
        remarks.append(f"snapshot sha256 {snapshot['digest'][:12]}…, one promise to keep")
    _go_on(play)


def _go_on(play: Play) -> None:
    """Let those who pay and build decide on what the sprint found."""
    with play.stage.act("Meeting after the experiments: Bruno decides to go on") as remarks:
        output = {
            "chosen_approach": play.winner.replace("_", " "),
            "estimate": "20 person days, 35 at worst",
            "run_cost": "One small machine, and two days a quarter for its reviews",
            "epics": ["Order of calls in the dialler", "Reasons beside each score"],
        }
        _record(
            play,
            "post_experimentation",
            decider="bruno",
            decision="go",
            notes="Build it for one call centre; look again after a month.",
            output=output,
            attendees=["lena", "sam", "mia", "bruno", "cara"],
        )
        remarks.append("go")
    with play.stage.act("Its gate: Bruno and Mia sign") as remarks:
        review = play.request_review("lena", "experiment_review", "sprint", play.memory["sprint"])
        play.sign("bruno", review, "business_owner", "Worth building; start with one call centre.")
        decided = play.sign("mia", review, "ml_engineer", "It can be run with what we have.")
        remarks.append(f"gate is {decided['status']}")
        play.expect(decided["status"] == "approved", f"Not passed: {decided['unmet']}")


def _record(play: Play, kind: str, **content: Any) -> None:
    body = {
        "project": play.project_id,
        "sprint": play.memory["sprint"],
        "kind": kind,
        "held_on": _today().isoformat(),
        "attendees": ["lena", "sam", "mia", "bruno", "dora"],
        **content,
    }
    play.cast["lena"].post("/api/v1/ceremonies/", body)


def _today() -> date:
    return date.today()  # noqa: DTZ011 - a meeting is held on a calendar day
