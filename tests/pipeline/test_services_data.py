"""Registering datasets: what is kept, and every way in which a file is refused."""

import hashlib

import pytest

from governance.models import Evidence, LineageNode
from ledger.models import LedgerEntry
from pipeline.models import DatasetVersion, Job
from pipeline.services import data, exploring, jobs
from projects import content_store
from projects.errors import InvalidInput, NotFound, NotPermitted
from tests.pipeline.conftest import DATASHEET, csv_of, rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def upload(project, data_scientist, actor):
    def send(file=None, *, who=None, name="calls", target="y", sheet=DATASHEET, **expected):
        request = data.DatasetUpload(
            project=project,
            name=name,
            content=csv_of(rows_of(300)) if file is None else file,
            target=target,
            expected=data.Expected(**{"separator": ";", **expected}),
            datasheet=sheet,
        )
        return data.register_dataset_version(request, actor=actor(who or data_scientist))

    return send


def test_a_registered_file_is_kept_by_digest_and_described(upload):
    file = csv_of(rows_of(300))
    dataset = upload(file)
    assert (dataset.number, dataset.row_count, dataset.positive) == (1, 300, "yes")
    assert dataset.digest == hashlib.sha256(file).hexdigest()
    assert content_store.read(dataset.digest) == file
    assert {"name": "age", "type": "number"} in dataset.columns
    assert dataset.profile["columns"]["job"]["distinct"] == 3
    assert LineageNode.objects.get(kind="dataset", ref=dataset.ref).digest == dataset.digest
    assert LedgerEntry.objects.filter(event="dataset.registered", subject=dataset.ref).exists()


def test_a_path_and_gzip_are_read_like_bytes(upload, tmp_path):
    import gzip

    path = tmp_path / "calls.csv.gz"
    path.write_bytes(gzip.compress(csv_of(rows_of(50))))
    dataset = upload(path)
    assert (dataset.media_type, dataset.row_count) == ("application/gzip", 50)
    assert len(data.read_dataset(dataset)) == 50


def test_other_bytes_become_the_next_version(upload):
    upload()
    assert upload(csv_of(rows_of(301))).number == 2


def test_the_same_bytes_are_refused_and_the_version_is_named(upload):
    first = upload()
    with pytest.raises(InvalidInput) as refusal:
        upload()
    assert refusal.value.code == "dataset_already_registered"
    assert refusal.value.details == {"dataset": first.ref}
    assert "calls v1" in refusal.value.message


@pytest.mark.parametrize(
    ("file", "expected", "code"),
    [
        (b"", {}, "empty_file"),
        (b"age;y\n", {}, "no_rows"),
        (csv_of(rows_of(20), ","), {}, "wrong_separator"),
        (csv_of(rows_of(20).drop(columns="y")), {}, "missing_column"),
        (csv_of(rows_of(20)), {"columns": ("income",)}, "missing_column"),
        (csv_of(rows_of(20)), {"numeric": ("job",)}, "non_numeric_value"),
        (csv_of(rows_of(20).assign(y="yes")), {}, "target_not_binary"),
        (b"age;y\n1;yes\n2\n", {}, "ragged_row"),
        (b"\xff\xfe\x00", {}, "unreadable_file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_code(upload, file, expected, code):
    with pytest.raises(InvalidInput) as refusal:
        upload(file, **expected)
    assert refusal.value.code == code
    assert not DatasetVersion.objects.exists()
    assert not LedgerEntry.objects.filter(event="dataset.registered").exists()


@pytest.mark.parametrize("columns", [5, "age", ["age"], [{"notes": ""}], {"age": "years"}])
def test_notes_on_columns_that_no_gate_could_read_are_refused(upload, columns):
    with pytest.raises(InvalidInput) as error:
        upload(sheet={**DATASHEET, "columns": columns})
    assert error.value.code == "wrong_datasheet"
    assert not DatasetVersion.objects.exists()


def test_a_file_that_is_not_there_is_refused(upload, tmp_path):
    with pytest.raises(InvalidInput) as refusal:
        upload(tmp_path / "missing.csv")
    assert refusal.value.code == "unreadable_file"


def test_an_auditor_and_a_stranger_register_nothing(upload, auditor, outsider):
    with pytest.raises(NotPermitted):
        upload(who=auditor)
    with pytest.raises(NotFound):
        upload(who=outsider)
    assert not DatasetVersion.objects.exists()


def test_exploring_records_a_report_with_plots_and_the_leak(dataset, data_scientist, actor):
    job = exploring.enqueue_exploration(dataset, actor=actor(data_scientist))
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.message) == ("done", "Done.")
    report = Evidence.objects.get(kind="eda_report")
    assert (report.pk, report.produced_by) == (job.result["evidence"], data_scientist)
    assert "duration" in report.data["leaks"]
    plots = Evidence.objects.filter(kind="plot", subject_ref=dataset.ref)
    assert plots.count() >= 4
    for plot in plots:
        assert content_store.read(plot.attachment).startswith(b"<svg")
        assert plot.data["table"]


def test_an_auditor_explores_nothing(dataset, auditor, actor):
    with pytest.raises(NotPermitted):
        exploring.enqueue_exploration(dataset, actor=actor(auditor))
    assert not Job.objects.exists()
