"""MLflow's tracking store, cut by project and mirrored with the authenticated author."""

from typing import Any

import sqlalchemy
from mlflow.entities import ExperimentTag, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.tracking.dbmodels.models import (
    SqlEvaluationDataset,
    SqlExperiment,
    SqlLoggedModel,
    SqlRun,
    SqlTag,
    SqlTraceInfo,
)
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from pipeline.gateway import access, frozen, paths, reserved
from pipeline.gateway.errors import governed
from pipeline.gateway.identity import acting_as, require_actor
from pipeline.gateway.run_facts import facts_of
from pipeline.models import Run
from pipeline.services import mirror, ties
from projects.actors import system
from projects.errors import InvalidInput
from projects.models import WorkItem

#: Secrets, model endpoints and tool servers, which MLflow shares among everybody.
_NOT_OFFERED = ("secrets", "endpoints", "model_definitions", "guardrails", "budget", "mcp_")


class _ByProject(SqlAlchemyStore):  # type: ignore[misc]
    """What the caller sees: MLflow's own hooks for workspaces, answered by project."""

    def _initialize_store_state(self) -> None:
        with acting_as(system("gateway")):
            super()._initialize_store_state()

    def _get_query(self, session: Any, model: Any) -> Any:
        return super()._get_query(session, model).filter(*_clauses(model))

    def _experiment_where_clauses(self) -> list[Any]:
        return [*super()._experiment_where_clauses(), *_clauses(SqlExperiment)]

    def _filter_experiment_ids(
        self, session: Any, experiment_ids: Any, lifecycle_stage: str | None = None
    ) -> Any:
        found = super()._filter_experiment_ids(session, experiment_ids, lifecycle_stage)
        visible = _visible_ids()
        return found if visible is None else [e for e in found if int(e) in set(visible)]

    def _filter_entity_ids(self, session: Any, entity_type: Any, entity_ids: list[str]) -> Any:
        found = super()._filter_entity_ids(session, entity_type, entity_ids)
        if _visible_ids() is None:
            return found
        model, key = _entity(entity_type)
        rows = self._get_query(session, model).filter(key.in_(found)).with_entities(key).all()
        return [str(row[0]) for row in rows]

    def _filter_association_query(
        self, session: Any, query: Any, target_type: Any, id_column: Any
    ) -> Any:
        query = super()._filter_association_query(session, query, target_type, id_column)
        if _visible_ids() is None:
            return query
        model, key = _entity(target_type)
        allowed = self._get_query(session, model).with_entities(
            sqlalchemy.cast(key, sqlalchemy.String)
        )
        return query.filter(id_column.in_(allowed.scalar_subquery()))

    def _validate_run_accessible(self, session: Any, run_id: str) -> None:
        self._require_row(session, SqlRun, SqlRun.run_uuid, run_id)

    def _validate_trace_accessible(self, session: Any, trace_id: str) -> None:
        self._require_row(session, SqlTraceInfo, SqlTraceInfo.request_id, trace_id)

    def _validate_dataset_accessible(self, session: Any, dataset_id: str) -> None:
        self._require_row(
            session, SqlEvaluationDataset, SqlEvaluationDataset.dataset_id, dataset_id
        )

    def _require_row(self, session: Any, model: Any, key: Any, value: str) -> None:
        if self._get_query(session, model).filter(key == value).first() is None:
            raise MlflowException(f"{value} not found", RESOURCE_DOES_NOT_EXIST)


class GovernedTrackingStore(_ByProject):
    """SQLAlchemy tracking store that knows who writes, where, and for which piece of work."""

    # --- Every write to a run or an experiment passes one of these two checks of MLflow ----------

    def _check_run_is_active(self, run: Any) -> None:
        super()._check_run_is_active(run)
        run_id = getattr(run, "run_uuid", None) or run.info.run_id
        with governed():
            access.require_run_writer(run_id, run.experiment_id)

    def _check_experiment_is_active(self, experiment: Any) -> None:
        super()._check_experiment_is_active(experiment)
        with governed():
            access.require_experiment_writer(experiment.experiment_id)

    # --- Experiments -----------------------------------------------------------------------------

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Any = None
    ) -> str:
        with governed():
            if artifact_location:
                raise InvalidInput(
                    "artifact_location cannot be chosen here: files of governed runs lie in the "
                    "service's own store. Leave it out.",
                    code="foreign_location",
                )
            project = access.project_of_experiment(name)
            access.require_writer(project, "create experiments")
            _refuse_reserved(tags)
        tags = [*(tags or []), ExperimentTag("mlflow.experimentKind", "custom_model_development")]
        experiment_id = str(super().create_experiment(name, None, tags))
        with governed():
            mirror.mirror_experiment(experiment_id, name, project, actor=require_actor())
            access.experiments_changed()
        return experiment_id

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        with governed():
            project = access.require_experiment_writer(experiment_id)
            if access.project_of_experiment(new_name) != project:
                raise InvalidInput(
                    f"An experiment stays with its project: the name must begin with "
                    f"'{project.slug}/'.",
                    code="other_project",
                )
        super().rename_experiment(experiment_id, new_name)
        with governed():
            mirror.mirror_experiment(experiment_id, new_name, project, actor=require_actor())

    def delete_experiment(self, experiment_id: str) -> None:
        with governed():
            access.require_experiment_writer(experiment_id)
            frozen.require_no_versions(
                Run.objects.filter(experiment__experiment_id=str(experiment_id))
            )
        super().delete_experiment(experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        with governed():
            access.require_experiment_writer(experiment_id)
        super().restore_experiment(experiment_id)

    def set_experiment_tag(self, experiment_id: str, tag: Any) -> None:
        with governed():
            access.require_experiment_writer(experiment_id)
            _refuse_reserved([tag])
        super().set_experiment_tag(experiment_id, tag)

    # --- Runs ------------------------------------------------------------------------------------

    def create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: Any, run_name: str
    ) -> Any:
        with governed():
            actor = require_actor()
            project = access.require_experiment_writer(experiment_id)
            bound = ties.check(project, reserved.ties_of(tags))
        author = actor.user.get_username() if actor.user else actor.name
        tags = [*(tags or []), *_tags_of(bound.work_item)]
        run = super().create_run(experiment_id, author, start_time, tags, run_name)
        try:
            with governed():
                mirror.mirror_run_created(facts_of(run), bound, actor=actor)
        except MlflowException:
            self._hard_delete_run(run.info.run_id)
            raise
        return run

    def update_run_info(
        self, run_id: str, run_status: Any, end_time: int | None, run_name: str | None
    ) -> Any:
        info = super().update_run_info(run_id, run_status, end_time, run_name)
        if info.status in mirror.ENDED:
            self._mirror(run_id)
        return info

    def log_inputs(self, run_id: str, datasets: Any = None, models: Any = None) -> None:
        super().log_inputs(run_id, datasets, models)
        if datasets:
            self._mirror(run_id)

    def delete_run(self, run_id: str) -> None:
        with governed():
            access.require_run_writer(run_id, self.get_run(run_id).info.experiment_id)
            frozen.require_no_versions(Run.objects.filter(run_id=run_id))
        super().delete_run(run_id)
        with governed():
            mirror.mirror_run_deleted(run_id, actor=require_actor())

    def restore_run(self, run_id: str) -> None:
        with governed():
            access.require_run_writer(run_id, self.get_run(run_id).info.experiment_id)
        super().restore_run(run_id)

    def set_tag(self, run_id: str, tag: Any) -> None:
        bound = self._check_ties(run_id, [tag])
        super().set_tag(run_id, tag)
        self._tie(run_id, bound, [tag])

    def log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        bound = self._check_ties(run_id, tags)
        super().log_batch(run_id, metrics, params, tags)
        self._tie(run_id, bound, tags)

    def delete_tag(self, run_id: str, key: str) -> None:
        with governed():
            if reserved.is_reserved(key) and key != ties.WORK_ITEM:
                raise reserved.refusal(key)
        super().delete_tag(run_id, key)
        if key == ties.WORK_ITEM:
            self._untie_item(run_id)

    def write_work_item(self, run_id: str, item: WorkItem | None) -> None:
        """Write the tags by which a run names its item and the item's page; None takes them off.

        Passes by the launcher's check: the service writes them for whoever linked the run.
        """
        with self.ManagedSessionMaker(read_only=False) as session:
            self._require_row(session, SqlRun, SqlRun.run_uuid, run_id)
            keys = (ties.WORK_ITEM, ties.WORK_ITEM_URL)
            held = session.query(SqlTag).filter(SqlTag.run_uuid == run_id, SqlTag.key.in_(keys))
            held.delete(synchronize_session=False)
            if item is not None:
                named = [RunTag(ties.WORK_ITEM, item.ref), *_tags_of(item)]
                session.add_all(SqlTag(run_uuid=run_id, key=t.key, value=t.value) for t in named)

    def _untie_item(self, run_id: str) -> None:
        with governed():
            run = Run.objects.select_related("project", "work_item").get(run_id=run_id)
            mirror.untie_work_item(run, actor=require_actor())
        self.write_work_item(run_id, None)

    def _check_ties(self, run_id: str, tags: Any) -> ties.Ties | None:
        with governed():
            named = reserved.ties_of(tags)
            if not named:
                return None
            run = Run.objects.select_related("project").get(run_id=run_id)
            access.require_run_writer(run_id, run.experiment.experiment_id)
            return ties.check(run.project, named)

    def _tie(self, run_id: str, bound: ties.Ties | None, tags: Any) -> None:
        if bound is None:
            return
        if bound.work_item is None and any(tag.key == ties.WORK_ITEM for tag in tags):
            self._untie_item(run_id)
        with governed():
            run = Run.objects.select_related("project", "experiment").get(run_id=run_id)
            mirror.tie_run(run, bound, actor=require_actor())
        if bound.work_item is not None:
            self.write_work_item(run_id, bound.work_item)

    def _mirror(self, run_id: str) -> None:
        with governed():
            mirror.mirror_run(facts_of(self.get_run(run_id)), actor=require_actor())

    # --- Logged models ---------------------------------------------------------------------------

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Any = None,
        **more: Any,
    ) -> Any:
        with governed():
            _refuse_reserved(tags)
            if source_run_id:
                # Otherwise a model could borrow the metrics of somebody else's run.
                access.require_run_writer(source_run_id, experiment_id)
        return super().create_logged_model(experiment_id, name, source_run_id, tags, **more)

    def set_logged_model_tags(self, model_id: str, tags: Any) -> None:
        with governed():
            _refuse_reserved(tags)
        super().set_logged_model_tags(model_id, tags)

    def delete_logged_model(self, model_id: str) -> None:
        location = self.get_logged_model(model_id).artifact_location
        with governed():
            frozen.require_writable(paths.relative(location))
        super().delete_logged_model(model_id)

    def _get_logged_model_record(self, session: Any, model_id: str) -> Any:
        record = super()._get_logged_model_record(session, model_id)
        with governed():
            access.require_experiment_writer(record.experiment_id)
        return record


def _visible_ids() -> list[int] | None:
    with governed():
        return access.visible_experiment_ids()


def _clauses(model: Any) -> list[Any]:
    """Return the conditions that cut a table to the caller's experiments."""
    column = getattr(model, "experiment_id", None)
    if column is None and not _is_foreign(model):
        return []
    visible = _visible_ids()
    if visible is None:
        return []
    return [column.in_(visible)] if visible and column is not None else [sqlalchemy.false()]


def _is_foreign(model: Any) -> bool:
    """Tell whether a table belongs to no experiment and holds what is not offered here."""
    return model is SqlEvaluationDataset or model.__tablename__.startswith(_NOT_OFFERED)


def _entity(entity_type: Any) -> tuple[Any, Any]:
    from mlflow.entities.entity_type import EntityAssociationType as Kind

    return {
        Kind.EXPERIMENT: (SqlExperiment, SqlExperiment.experiment_id),
        Kind.RUN: (SqlRun, SqlRun.run_uuid),
        Kind.TRACE: (SqlTraceInfo, SqlTraceInfo.request_id),
        Kind.EVALUATION_DATASET: (SqlEvaluationDataset, SqlEvaluationDataset.dataset_id),
    }.get(entity_type, (SqlLoggedModel, SqlLoggedModel.model_id))


def _tags_of(item: WorkItem | None) -> list[RunTag]:
    """Return the service's own tags of a run that is tied to the item."""
    return [] if item is None else [RunTag(ties.WORK_ITEM_URL, ties.url_of(item))]


def _refuse_reserved(tags: Any) -> None:
    for key in reserved.reserved_keys(tags):
        raise reserved.refusal(key)
