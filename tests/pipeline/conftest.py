"""A small world: a dataset, a model on disk, an approved promotion, a deployment."""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from governance.models import Environment, GateReview, PolicyVersion, Promotion
from governance.services import policies
from governance.services.binding import as_it_is
from governance.subjects import SubjectFacts
from pipeline.adapters import model_files, model_writing
from pipeline.adapters.model_writing import ModelToLog
from pipeline.gateway.digest import tree_digest
from pipeline.ml.features import FeatureSet, model_inputs
from pipeline.models import Deployment, Experiment, ModelVersion, RegisteredModel, Run
from pipeline.services import data, loading
from pipeline.services.scoring import signature_columns
from tests.factories import install_policies

FEATURES = FeatureSet(numeric=("age", "calls"), categorical=("job",), context=("rate",))
MODEL = "term-deposit-calls"
DATASHEET = {"columns": {"duration": {"meaning": "", "is_known_at_prediction": False}}}


def rows_of(count: int, seed: int = 1) -> pd.DataFrame:
    """Return rows over ten months whose outcome depends on age and job."""
    random = np.random.default_rng(seed)
    age = random.integers(20, 70, count)
    job = random.choice(["admin.", "student", "retired"], count)
    chance = 0.08 + 0.3 * (age > 55) + 0.35 * (job == "student")
    months = np.repeat(["may", "jun", "jul", "aug", "oct", "nov"], -(-count // 6))[:count]
    return pd.DataFrame(
        {
            "age": age,
            "calls": random.integers(1, 6, count),
            "job": job,
            "rate": np.round(random.normal(4.8, 0.1, count), 3),
            "duration": random.integers(0, 900, count),
            "month": months,
            "y": np.where(random.random(count) < chance, "yes", "no"),
        }
    )


def csv_of(frame: pd.DataFrame, separator: str = ";") -> bytes:
    return frame.to_csv(index=False, sep=separator).encode()


def split_of(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the rows in MLflow's `dataframe_split` layout."""
    inputs = model_inputs(frame, FEATURES)
    return {"columns": list(inputs.columns), "data": inputs.to_numpy(dtype=object).tolist()}


@pytest.fixture(autouse=True)
def own_files(request, settings, tmp_path):
    """Give each test its own artifacts and content, and a process without models in memory.

    Tests against a live gateway keep its files: MLflow's stores are opened once per process.
    """
    is_others = request.node.path.parent.name in {"gateway", "adapters", "ml"}
    if is_others or "mlflow_server" in request.fixturenames:
        return
    settings.ARTIFACT_ROOT = tmp_path / "artifacts"
    settings.CONTENT_STORE = tmp_path / "content"
    loading.forget_models()


@pytest.fixture(scope="session")
def model_template(tmp_path_factory) -> Path:
    """Return a directory with a trained model, to be copied by each test."""
    from pipeline.ml.splits import Block, Blocks
    from pipeline.ml.training import LOGISTIC, TrainingPlan, train

    frame = rows_of(900).assign(period=np.repeat(["2008-05", "2008-06", "2008-07"], 300))
    blocks = Blocks(train=Block("2008-05", "2008-06"), test=Block("2008-07", "2008-07"))
    trained = train(frame, TrainingPlan(FEATURES, "y", "yes", blocks), LOGISTIC)
    directory: Path = tmp_path_factory.mktemp("model") / "model"
    model_writing.write(ModelToLog(trained.estimator, trained.inputs.head(5)), directory)
    return directory


@pytest.fixture
def dataset(project, data_scientist, actor):
    upload = data.DatasetUpload(
        project=project,
        name="calls",
        content=csv_of(rows_of(1200)),
        target="y",
        expected=data.Expected(separator=";"),
        datasheet=DATASHEET,
    )
    return data.register_dataset_version(upload, actor=actor(data_scientist))


@dataclass
class World:
    """What the tests of serving and promoting start from."""

    project: Any
    template: Path
    model: RegisteredModel
    environment: Environment
    policy_version: PolicyVersion

    def version(self, number: int = 1, **changes: Any) -> ModelVersion:
        """Return a registered version with its files on disk."""
        path = f"models/{number}"
        directory = Path(django_settings.ARTIFACT_ROOT) / path
        shutil.copytree(self.template, directory)
        (directory / "number.txt").write_text(str(number))
        return ModelVersion.objects.create(
            model=self.model,
            number=number,
            source=path,
            artifact_path=path,
            files_digest=tree_digest(directory),
            signature=model_files.inspect(directory).signature,
            registered_as="user:1",
            **changes,
        )

    def promotion(self, version: ModelVersion, status: str = "approved") -> Promotion:
        """Return a promotion whose review was approved."""
        now = timezone.now()
        review = GateReview(
            project=self.project,
            gate="validation",
            policy_version=self.policy_version,
            subject_kind="model_version",
            subject_ref=version.ref,
            subject_label=str(version),
            model_name=version.model.name,
            model_version=version.number,
            tier="medium",
            status=GateReview.Status.APPROVED,
            requested_as="user:1",
            decided_at=now,
            expires_at=now + timedelta(days=365),
        )
        # Files alone, without the run: most of these tests have no MLflow that could be asked.
        files = {"model_files": version.files_digest}
        bound = as_it_is(review, SubjectFacts(str(version), self.project, files))
        review.bindings, review.bindings_digest = dict(bound.bindings), bound.digest
        review.save()
        return Promotion.objects.create(
            project=self.project,
            environment=self.environment,
            model_name=version.model.name,
            model_version=version.number,
            subject_ref=version.ref,
            files_digest=version.files_digest,
            review=review,
            status=status,
            requested_as="user:1",
            approved_at=now,
            applied_at=now if status == "applied" else None,
        )

    def deployment(self, version: ModelVersion | None = None, **changes: Any) -> Deployment:
        """Return a deployment, serving `version` under a standing promotion if one is given."""
        if version is not None:
            columns = signature_columns(version.signature)
            changes = {
                "version": version,
                "promotion": self.promotion(version, "applied"),
                "input_schema": [column.as_json() for column in columns],
                **changes,
            }
        return Deployment.objects.create(
            slug="calls",
            project=self.project,
            model=self.model,
            environment=self.environment,
            **changes,
        )

    def run(self, dataset: Any, **params: str) -> Run:
        """Return the run that a version came from."""
        experiment, _ = Experiment.objects.get_or_create(
            experiment_id="1", name=f"{self.project.slug}/experiments", project=self.project
        )
        return Run.objects.create(
            run_id="r" * 32,
            experiment=experiment,
            project=self.project,
            dataset=dataset,
            status="FINISHED",
            launched_as="user:1",
            params={"context": "rate", "approach": "logistic_regression", **params},
        )


@pytest.fixture
def world(project, model_template) -> World:
    install_policies()
    return World(
        project=project,
        template=model_template,
        model=RegisteredModel.objects.create(name=MODEL, project=project),
        environment=Environment.objects.get(name="production"),
        policy_version=policies.published_policy(project),
    )


@pytest.fixture
def served(world):
    """A deployment whose version stands promoted."""
    return world.deployment(world.version())


def post_json(client: Any, address: str, body: Any, **headers: str) -> Any:
    """Post as the service's own pages do: same origin, JSON."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    headers.setdefault("HTTP_ORIGIN", "http://testserver")
    return client.post(address, data, content_type="application/json", **headers)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
