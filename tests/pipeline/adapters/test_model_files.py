"""What is read from a model's files, and every reason for which they may not be loaded."""

import io
import zipfile

import pandas as pd
import pytest
import yaml

from pipeline.adapters import model_files, model_writing
from pipeline.adapters.model_writing import ModelToLog
from projects.errors import InvalidInput


class NotTrusted:
    """An estimator of a class that nobody has put on the list."""

    def predict(self, rows):
        return [0 for _ in range(len(rows))]


@pytest.fixture
def directory(written_model, tmp_path):
    import shutil

    return shutil.copytree(written_model, tmp_path / "model")


def flavored(directory, **changes):
    path = directory / "MLmodel"
    described = yaml.safe_load(path.read_text())
    described["flavors"]["sklearn"].update(changes)
    path.write_text(yaml.safe_dump(described))


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name.replace("_json", ".json"), data)
    return buffer.getvalue()


def test_a_model_that_we_wrote_may_be_loaded(directory):
    report = model_files.inspect(directory)
    assert report.problem == ""
    assert [column["name"] for column in report.signature["inputs"]] == ["age", "calls"]
    assert report.signature["outputs"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: (d / "MLmodel").unlink(), "There is no MLmodel file"),
        (lambda d: (d / "MLmodel").write_text("{"), "cannot be read"),
        (lambda d: (d / "MLmodel").write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda d: (d / "MLmodel").write_text("[]"), "names no flavours"),
        (lambda d: (d / "MLmodel").write_text("flavors: {pytorch: {}}"), "this model has: pytorch"),
        (lambda d: flavored(d, serialization_format="cloudpickle"), "stored as cloudpickle"),
        (lambda d: flavored(d, serialization_format=None), "stored as pickle"),
        (lambda d: flavored(d, pickled_model="../model.skops"), "is not there"),
        (lambda d: flavored(d, pickled_model="/etc/passwd"), "is not there"),
        (lambda d: (d / "model.skops").unlink(), "is not there"),
        (lambda d: (d / "model.skops").write_bytes(b"no archive"), "no skops archive"),
        (lambda d: (d / "model.skops").write_bytes(archive(schema_json=b"{}")), "as skops"),
        (
            lambda d: (d / "model.skops").write_bytes(archive(a=b"\0" * 50_000_000)),
            "more than is read",
        ),
    ],
)
def test_every_other_model_has_a_reason(directory, change, reason):
    change(directory)
    assert reason in model_files.inspect(directory).problem


def test_a_type_that_is_not_listed_is_named(directory):
    import skops.io

    (directory / "model.skops").write_bytes(skops.io.dumps(NotTrusted()))
    assert "NotTrusted" in model_files.inspect(directory).problem


def test_what_could_not_be_loaded_is_not_written(tmp_path):
    rows = pd.DataFrame({"age": [1.0]})
    with pytest.raises(InvalidInput) as refusal:
        model_writing.write(ModelToLog(NotTrusted(), rows), tmp_path / "model")
    assert refusal.value.code == "untrusted_types"
