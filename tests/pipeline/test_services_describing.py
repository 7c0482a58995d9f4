"""What a review copies of data and models: figures that tell two apart, bounded in size."""

import json

import pytest

from pipeline.models import DatasetVersion, ModelVersion
from pipeline.services import describing

PROFILE = {
    "rows": 200,
    "columns": {
        "age": {"type": "number", "missing": 10, "unknown": 0},
        "job": {"type": "category", "missing": 0, "unknown": 30},
        "y": {"top": [{"value": "no", "count": 150}, {"value": "yes", "count": 50}]},
    },
}


@pytest.fixture
def dataset():
    columns = [{"name": "age", "type": "number"}, {"name": "job", "type": "category"}]
    return DatasetVersion(
        name="bank", number=2, row_count=200, target="y", positive="yes", columns=columns,
        profile=PROFILE,
    )  # fmt: skip


def test_data_are_told_by_rows_target_rate_columns_and_missing_cells(dataset):
    assert describing.of_dataset(dataset) == {
        "label": "bank v2",
        "row_count": 200,
        "target": "y",
        "target_rate": 0.25,
        "columns": dataset.columns,
        "missing": {"age": 0.05, "job": 0.15},
    }


@pytest.mark.parametrize(
    "changes",
    [{"positive": "maybe"}, {"row_count": 0}, {"profile": {}}, {"target": "z"}],
)
def test_an_unknown_target_rate_is_not_made_up(dataset, changes):
    for name, value in changes.items():
        setattr(dataset, name, value)
    assert describing.target_rate(dataset) is None


def test_wide_data_are_copied_in_part_only(dataset):
    dataset.columns = [{"name": f"c{number}", "type": "number"} for number in range(5000)]
    assert len(json.dumps(describing.of_dataset(dataset))) < 20_000


def test_features_are_the_inputs_that_the_signature_declares():
    inputs = [{"name": "age", "type": "long", "required": True}, {"type": "tensor"}]
    version = ModelVersion(signature={"inputs": inputs})
    assert describing.features_of(version) == [{"name": "age", "type": "long"}]
    assert describing.features_of(ModelVersion(signature={})) == []
