"""Chapter three: a dataset version by digest, a look at it, and gate `data`."""

import json
from typing import Any

from django.conf import settings

from config.demo.doors import refusal_of
from config.demo.play import Play
from config.demo.stage import Refusal

FIXTURES = settings.BASE_DIR / "fixtures"


def data(play: Play) -> None:
    """Register the calls, explore them, and let their owner release them."""
    play.stage.chapter("The data, explored and released")
    sam = play.cast["sam"]
    play.stage.refused(
        "Sam uploads the file with the wrong separator",
        lambda: _upload(play, separator=","),
        code="wrong_separator",
    )
    with play.stage.act("Dataset version registered") as remarks:
        dataset = _register(play)
        play.memory["dataset"] = dataset
        remarks.append(f"{dataset['row_count']:,} rows, sha256 {dataset['digest'][:12]}…")
    with play.stage.act("Exploratory analysis") as remarks:
        job = sam.post(f"/api/v1/datasets/{dataset['id']}/explore/")
        sam.wait_for_job(job["id"], play.stage.progress)
        found = sam.get(
            "/api/v1/evidence/",
            subject_kind="dataset_version",
            subject_ref=f"dataset_version:{dataset['id']}",
        )["results"]
        report = next(item for item in found if item["kind"] == "eda_report")
        plots = sum(item["kind"] == "plot" for item in found)
        leaks = ", ".join(report["data"]["leaks"])
        remarks.append(f"report with {plots} plots; leak warning: {leaks}")
        play.expect("duration" in leaks, "The report did not warn of `duration`.")
    with play.stage.act("Gate “data” opened") as remarks:
        review = play.request_review("sam", "data", "dataset_version", dataset["id"])
        remarks.append(play.unmet(review))
    with play.stage.act("Dora and Lena release it") as remarks:
        play.sign("dora", review, "data_owner", "Released for this purpose.")
        decided = play.sign("lena", review, "lead", "Fit for the sprint.")
        remarks.append(f"gate is {decided['status']}")
        play.expect(decided["status"] == "approved", "The data gate did not pass.")


def _form(separator: str) -> dict[str, Any]:
    datasheet = json.loads((FIXTURES / "datasheets" / "bank-marketing.json").read_text())
    return {
        "name": "bank-marketing",
        "separator": separator,
        "target": "y",
        "positive": "yes",
        "required_columns": list(datasheet["columns"]),
        "origin": datasheet["origin"],
        "datasheet": json.dumps(datasheet),
    }


def _file() -> dict[str, tuple[str, bytes, str]]:
    path = FIXTURES / "bank-additional-full.csv.gz"
    return {"file": (path.name, path.read_bytes(), "application/gzip")}


def _upload(play: Play, *, separator: str) -> Refusal | None:
    form = {"project": str(play.project_id), **_form(separator)}
    answer = play.cast["sam"].request("POST", "/api/v1/datasets/", data=form, files=_file())
    return refusal_of(answer)


def _register(play: Play) -> Any:
    form = {"project": str(play.project_id), **_form(";")}
    return play.cast["sam"].upload("/api/v1/datasets/", form, _file())
