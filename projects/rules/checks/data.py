"""Rules about data: access, owners, law, labels, how it is split and what may be used."""

from projects.rules.checks.base import Said, rule
from projects.rules.scope_terms import Circumstances, Content, Row, listed, number, rows, text


def _sources(content: Content) -> list[Row]:
    return list(rows(content, "data_sources"))


def _names(found: list[Row]) -> str:
    return listed(text(row, "name") for row in found)


@rule("data_access_missing", "data_sources")
def _access(content: Content, _: Circumstances) -> Said:
    if not any(text(row, "access") == "granted" for row in _sources(content)):
        yield "Access is granted to none of the data sources."


@rule("data_source_closed", "data_sources")
def _closed(content: Content, _: Circumstances) -> Said:
    closed = [row for row in _sources(content) if text(row, "access") != "granted"]
    if closed:
        yield f"Obtain access to {_names(closed)}, or leave it out."


@rule("data_owner_missing", "data_sources")
def _owner(content: Content, _: Circumstances) -> Said:
    if orphaned := [row for row in _sources(content) if not row.get("owner")]:
        yield f"Name the owner of every data source; missing for {_names(orphaned)}."


@rule("lawful_basis_missing", "data_sources")
def _lawful_basis(content: Content, _: Circumstances) -> Said:
    for row in _sources(content):
        if text(row, "personal_data") not in {"", "none"} and not text(row, "lawful_basis"):
            yield (
                f"The data source {text(row, 'name')} holds personal data; name the lawful basis."
            )


@rule("labels_unknown", "data_sources")
def _labels(content: Content, _: Circumstances) -> Said:
    if unknown := [row for row in _sources(content) if not text(row, "labels")]:
        yield f"Say whether labels exist, can be derived or must be collected: {_names(unknown)}."


@rule("label_cost_missing", "data_sources")
def _label_cost(content: Content, _: Circumstances) -> Said:
    unpriced = [
        row
        for row in _sources(content)
        if text(row, "labels") == "to_collect" and number(row, "label_cost") is None
    ]
    if unpriced:
        yield f"State what collecting the labels costs: {_names(unpriced)}."


@rule("known_gaps_missing", "data_sources")
def _gaps(content: Content, _: Circumstances) -> Said:
    if silent := [row for row in _sources(content) if not text(row, "known_gaps")]:
        yield f"Note the known gaps of every data source; missing for {_names(silent)}."


@rule("ground_truth_unplanned", "ground_truth")
def _proxy(content: Content, _: Circumstances) -> Said:
    unknown = text(content, "ground_truth") in {"proxy", "no"}
    if unknown and not text(content, "ground_truth_method"):
        yield "The truth never becomes known itself; say what is measured in its place."


@rule("ground_truth_delay_missing", "ground_truth")
def _delay(content: Content, _: Circumstances) -> Said:
    delayed = text(content, "ground_truth") == "delayed"
    if delayed and number(content, "ground_truth_delay_days") is None:
        yield "The truth comes late; say after how many days."


@rule("split_missing", "split_strategy", judges_absence=True)
def _split(content: Content, _: Circumstances) -> Said:
    if not text(content, "split_strategy"):
        yield "Choose a split that tests the model as it will be used."


@rule("split_random_on_time_order", "split_strategy")
def _random(content: Content, _: Circumstances) -> Said:
    if content.get("is_time_ordered") and text(content, "split_strategy") == "random":
        yield (
            "The rows are ordered in time and the model is used on later ones, so a random split "
            "tests it on a future it has seen; split by time."
        )


@rule("feature_notes_missing", "feature_notes", judges_absence=True)
def _notes(content: Content, _: Circumstances) -> Said:
    if not rows(content, "feature_notes"):
        yield "Note at least one column whose use needs a word, known at prediction time or not."


@rule("leaking_feature", "feature_notes")
def _leak(content: Content, _: Circumstances) -> Said:
    for row in rows(content, "feature_notes"):
        if row.get("is_used") and not row.get("is_known_at_prediction"):
            yield (
                f"The column {text(row, 'column')} is used as a feature although it is not known "
                "when the prediction is made."
            )
