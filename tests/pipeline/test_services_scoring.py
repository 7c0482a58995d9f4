"""What a scoring request may look like, without any database."""

import json

import pytest

from pipeline.services.scoring import (
    Column,
    misfits,
    parse_body,
    read_request,
    signature_columns,
)
from projects.errors import InvalidInput

SCHEMA = (
    Column("age", "long"),
    Column("rate", "double"),
    Column("job", "string"),
    Column("note", "string", required=False),
)
GOOD = {"columns": ["age", "rate", "job"], "data": [[41, 4.8, "admin."], [23, 1, "student"]]}


def split(**changes):
    return {"dataframe_split": {**GOOD, **changes}}


@pytest.mark.parametrize(
    "payload",
    [
        split(),
        {"dataframe_records": [{"age": 41, "rate": 4.8, "job": "admin."}] * 2},
        {"instances": [{"age": 41, "rate": 4.8, "job": "admin."}] * 2},
        {"inputs": {"age": [41, 2], "rate": [4.8, 1], "job": ["a", "b"]}},
        {"instances": [[41, 4.8, "a", "said so"], [41, 4.8, "a", None]]},
    ],
)
def test_every_layout_of_the_protocol_is_read(payload):
    request = read_request(payload, SCHEMA)
    assert request.row_count == 2
    assert list(request.columns)[:3] == ["age", "rate", "job"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({}, "unknown_format"),
        ({"dataframe_split": GOOD, "inputs": {}}, "unknown_format"),
        ({"dataframe_split": GOOD, "extra": 1}, "unknown_format"),
        ({"dataframe_split": [1]}, "unknown_format"),
        ({"inputs": "age"}, "unknown_format"),
        ({"inputs": {"age": [1], "rate": [1, 2]}}, "unknown_format"),
        (split(data=[[1, 2]]), "unknown_format"),
        (split(columns=["age", "age", "job"]), "unknown_format"),
        ({"dataframe_records": [{"age": 1}, 5]}, "unknown_format"),
        (split(data=[]), "empty_request"),
        ({"dataframe_records": []}, "empty_request"),
        (split(columns=["age", "rate", "shoe_size"]), "unknown_column"),
        (split(columns=["age", "rate"], data=[[1, 2]]), "missing_column"),
        ({"dataframe_records": [{"age": 1, "rate": 1, "job": "a"}, {"age": 1}]}, "missing_column"),
        (split(data=[["old", 4.8, "a"]]), "wrong_type"),
        (split(data=[[True, 4.8, "a"]]), "wrong_type"),
        (split(data=[[41.5, 4.8, "a"]]), "wrong_type"),
        (split(data=[[41, 4.8, 7]]), "wrong_type"),
        (split(data=[[41, None, "a"]]), "missing_value"),
        (split(data=[[41, float("nan"), "a"]]), "not_finite"),
        (split(data=[[41, float("inf"), "a"]]), "not_finite"),
        (split(data=[[10**400, 1, "a"]]), "not_finite"),
        ({**split(), "params": []}, "wrong_params"),
        ({**split(), "params": {"event_time": "yesterday"}}, "wrong_event_time"),
        ({**split(), "params": {"event_time": ["2026-01-01"]}}, "wrong_event_time"),
        ({**split(), "params": {"prediction_ids": ["a"]}}, "wrong_prediction_id"),
        ({**split(), "params": {"prediction_ids": ["a", "a"]}}, "wrong_prediction_id"),
        ({**split(), "params": {"prediction_ids": ["a", "x" * 65]}}, "wrong_prediction_id"),
        ({**split(), "params": {"prediction_ids": ["a", 5]}}, "wrong_prediction_id"),
    ],
)
def test_every_bad_request_has_its_code(payload, code):
    with pytest.raises(InvalidInput) as refusal:
        read_request(payload, SCHEMA)
    assert refusal.value.code == code


def test_a_wrong_value_is_named_with_its_column_and_row():
    rows = [[41, 4.8, "a"], [41, "high", "a"]]
    with pytest.raises(InvalidInput) as refusal:
        read_request(split(data=rows), SCHEMA)
    assert refusal.value.message == "Column rate must be a number, but row 2 holds 'high'."
    assert refusal.value.details == {"column": "rate", "row": 2, "value": "'high'"}


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr("pipeline.services.scoring.MAX_ROWS", 1)
    with pytest.raises(InvalidInput) as refusal:
        read_request(split(), SCHEMA)
    assert refusal.value.code == "too_many_rows"


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(InvalidInput) as refusal:
        parse_body(body)
    assert refusal.value.code == "invalid_json"


def test_event_times_and_ids_are_kept_and_naive_times_mean_utc():
    params = {"event_time": "2026-05-04T10:00:00", "prediction_ids": ["a", "b"]}
    request = read_request({**split(), "params": params}, SCHEMA)
    assert [time.isoformat() for time in request.event_times] == ["2026-05-04T10:00:00+00:00"] * 2
    assert request.prediction_ids == ["a", "b"]


def test_a_signature_is_read_as_text_or_as_lists():
    inputs = [{"name": "age", "type": "long", "required": True}]
    assert signature_columns({"inputs": inputs}) == (Column("age", "long"),)
    assert signature_columns({"inputs": json.dumps(inputs)}) == (Column("age", "long"),)
    assert signature_columns({}) == ()
    assert signature_columns({"inputs": [{"type": "tensor", "tensor-spec": {}}]}) == ()


def test_a_model_fits_if_callers_send_all_that_it_needs_in_the_same_family():
    assert misfits([Column("age", "double")], SCHEMA) == []
    assert misfits([Column("extra", "long", required=False)], SCHEMA) == []
    assert misfits([Column("income", "double"), Column("job", "long")], SCHEMA) == [
        "The model needs column income, which callers do not send.",
        "Column job is sent as string, the model needs long.",
    ]
