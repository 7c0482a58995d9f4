"""The rows of a retraining: what the champion learned from, and the answers that got a label."""

import logging
from typing import TYPE_CHECKING, Any

from governance.services import reviews
from governance.services.reviews import ReviewRequest
from pipeline.models import DatasetVersion, Deployment, ModelVersion, Prediction
from pipeline.services import data, exploring, frames
from pipeline.services.envelopes import Envelope
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


def assemble(
    deployment: Deployment, champion: ModelVersion, envelope: Envelope, *, actor: Actor
) -> "tuple[pd.DataFrame, DatasetVersion]":
    """Return the rows to learn from and the dataset version that holds exactly them."""
    import pandas as pd

    from pipeline.ml.features import FeatureSet

    base = champion.run.dataset if champion.run else None
    if base is None:
        raise RuleViolated(f"{champion} has no dataset.", code="no_champion")
    features = FeatureSet.from_dict(envelope.features)
    columns = [*features.inputs, base.target, frames.PERIOD]
    labelled = _labelled_rows(deployment, base)
    if len(labelled) < envelope.min_rows:
        raise RuleViolated(
            f"Only {len(labelled)} answers have a label yet; the envelope asks for "
            f"{envelope.min_rows}.",
            code="too_few_rows",
        )
    known = frames.with_periods(frames.training_rows(champion))
    rows = pd.concat([known[columns], labelled[columns]], ignore_index=True)
    dataset = _register(rows, base, len(labelled), actor=actor)
    # Trained on what was registered, read back from its bytes.
    return data.read_dataset(dataset), dataset


def _labelled_rows(deployment: Deployment, base: DatasetVersion) -> "pd.DataFrame":
    """Return the labelled predictions in the words of the dataset, in the order of time."""
    import pandas as pd

    found = list(
        Prediction.objects.filter(deployment=deployment, label__isnull=False)
        .order_by("occurred_at", "pk")
        .values_list("features", "label", "occurred_at")
    )
    words = {1: base.positive, 0: _other_word(base)}
    rows = pd.DataFrame([features for features, _, _ in found])
    rows[base.target] = [words[int(label == 1)] for _, label, _ in found]
    rows[frames.PERIOD] = [f"{moment:%Y-%m}" for _, _, moment in found]
    return rows


def _other_word(base: DatasetVersion) -> str:
    """Return the value of the target that is not the positive one."""
    about = base.profile["columns"][base.target]
    words = [str(item["value"]) for item in about["top"]]
    return next(word for word in words if word != base.positive)


def _register(
    rows: "pd.DataFrame", base: DatasetVersion, labelled: int, *, actor: Actor
) -> DatasetVersion:
    """Register the rows as the next version of the base dataset, or return the one they are."""
    content = data.write_table(rows, base.separator)
    upload = data.DatasetUpload(
        project=base.project,
        name=base.name,
        content=content,
        target=base.target,
        expected=data.Expected(separator=base.separator, positive=base.positive),
        origin=f"{base} as the champion learned from it, and {labelled} labelled answers.",
        datasheet=_datasheet(base, list(rows.columns)),
    )
    try:
        dataset = data.register_dataset_version(upload, actor=actor)
    except InvalidInput as refusal:
        if refusal.code != "dataset_already_registered":
            raise
        return DatasetVersion.objects.get(pk=int(refusal.details["dataset"].split(":")[1]))
    _put_data_up_for_review(dataset, actor=actor)
    return dataset


def _put_data_up_for_review(dataset: DatasetVersion, *, actor: Actor) -> None:
    """Explore the new rows and ask for their release: the candidate's gate looks for it.

    A policy without that gate, or without anybody to sign at it, is no reason to stop here; the
    candidate's own review says what is missing.
    """
    exploring.explore_dataset(dataset, actor=actor)
    request = ReviewRequest("data", dataset.project, "dataset_version", dataset.ref)
    try:
        reviews.request_review(request, actor=actor)
    except (InvalidInput, RuleViolated) as refusal:
        logger.info("No data review of %s: %s", dataset, refusal.message)


def _datasheet(base: DatasetVersion, columns: list[str]) -> dict[str, Any]:
    about = base.datasheet.get("columns") or {}
    known = {name: about[name] for name in columns if name in about}
    period = {"meaning": "Month of the case, YYYY-MM", "is_known_at_prediction": True}
    return {**base.datasheet, "columns": {**known, frames.PERIOD: about.get("period", period)}}
