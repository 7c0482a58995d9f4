"""Chapter seven: what was signed answers over HTTP, and nothing else does."""

from pathlib import Path
from typing import Any

from django.conf import settings

from config.demo.experiments import frame_of
from config.demo.play import Play
from config.demo.scoping import SLUG

ROWS = 1_000


def serving(play: Play) -> None:
    """Deploy, score 1,000 rows, change one byte on disk, be refused, restore."""
    play.stage.chapter("Serving what was signed")
    with play.stage.act("Mia creates the deployment") as remarks:
        deployment = play.cast["mia"].post(
            "/api/v1/deployments/",
            {"slug": SLUG, "model": SLUG, "environment": "production"},
        )
        play.memory["deployment"] = deployment["id"]
        remarks.append(f"/serve/{SLUG}/invocations")
    with play.stage.act(f"{ROWS:,} rows scored over HTTP") as remarks:
        answer = play.cast["mia"].request("POST", _address(), json=_payload(play))
        play.expect(answer.ok, f"Scoring answered {answer.status_code}: {answer.text[:300]}")
        play.expect(len(answer.json()["predictions"]) == ROWS, "Some rows have no answer.")
        meta = answer.json()["metadata"]
        remarks.append(
            f"version {meta['version']}, {meta['promotion']}, sha256 {meta['digest'][:12]}…, "
            f"{answer.elapsed.total_seconds():.2f} s"
        )
    _refuse_nonsense(play)
    _tamper(play)


def _address() -> str:
    return f"/serve/{SLUG}/invocations"


def _payload(play: Play) -> dict[str, Any]:
    from pipeline.ml import bank
    from pipeline.ml.splits import rows_of

    frame = frame_of(play)
    rows = frame.iloc[rows_of(frame[bank.PERIOD], bank.TEST)].head(ROWS)
    return {"dataframe_split": split_of(rows)}


def split_of(rows: Any) -> dict[str, Any]:
    """Return rows in MLflow's `dataframe_split` form, with the columns that the model reads."""
    from pipeline.ml import bank
    from pipeline.ml.features import model_inputs

    inputs = model_inputs(rows, bank.FEATURES)
    return {"columns": list(inputs.columns), "data": inputs.to_numpy(dtype=object).tolist()}


def _refuse_nonsense(play: Play) -> None:
    from config.demo.doors import refusal_of

    payload = _payload(play)["dataframe_split"]
    rows = {"columns": [*payload["columns"], "shoe_size"], "data": [[*payload["data"][0], 43]]}
    play.stage.refused(
        "A row with a column that the model does not know",
        lambda: refusal_of(
            play.cast["mia"].request("POST", _address(), json={"dataframe_split": rows})
        ),
        code="unknown_column",
    )


def _tamper(play: Play) -> None:
    """Change one byte of the stored model behind the service's back, and put it back."""
    from config.demo.doors import refusal_of

    path = _model_file(play)
    original = path.read_bytes()
    forged = bytearray(original)
    forged[len(forged) // 2] ^= 1
    try:
        path.write_bytes(bytes(forged))
        play.stage.refused(
            "Scoring after one byte of the model changed on disk",
            lambda: refusal_of(play.cast["mia"].request("POST", _address(), json=_payload(play))),
            code="digest_mismatch",
        )
    finally:
        path.write_bytes(original)
    with play.stage.act("A finding was opened; the file is put back") as remarks:
        found = play.cast["vera"].get("/api/v1/findings/", severity="critical")["results"]
        play.expect(found, "No finding was opened.")
        remarks.append(found[0]["title"])
        _close(play, found[0]["id"])
        answer = play.cast["mia"].request("POST", _address(), json=_payload(play))
        play.expect(answer.ok, f"It does not serve again: {answer.text[:300]}")
        remarks.append("resolved by Mia, closed by Vera, serves again")


def _close(play: Play, finding: int) -> None:
    play.cast["mia"].post(
        f"/api/v1/findings/{finding}/resolve/",
        {"resolution": "The file was restored from the content store; the digest matches again."},
    )
    play.cast["vera"].post(f"/api/v1/findings/{finding}/close/")


def _model_file(play: Play) -> Path:
    folder = Path(settings.ARTIFACT_ROOT, play.memory["version"]["artifact_path"])
    return next(folder.rglob("*.skops"))
