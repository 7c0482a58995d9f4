"""MLflow's model registry with the guard inside: every front end ends in these methods."""

from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import sqlalchemy
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.dbmodels.models import (
    SqlModelVersion,
    SqlModelVersionTag,
    SqlRegisteredModel,
    SqlRegisteredModelAlias,
    SqlRegisteredModelTag,
)
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from governance.services import enforcement
from governance.services.denials import Attempt, refusals_recorded
from pipeline.gateway import access, intake, reserved
from pipeline.gateway.errors import governed
from pipeline.gateway.identity import acting_as, require_actor
from pipeline.gateway.tracking_store import GovernedTrackingStore
from pipeline.services import mirror
from projects.actors import system
from projects.errors import InvalidInput, NotFound, NotPermitted

#: Where a version says that its alias was set without approval; clients cannot write it.
WARNING_TAG = "countersign.warning"
MAX_TAG = 4000
_NAMED = (
    SqlRegisteredModel,
    SqlModelVersion,
    SqlRegisteredModelTag,
    SqlModelVersionTag,
    SqlRegisteredModelAlias,
)


class GovernedRegistryStore(SqlAlchemyStore):  # type: ignore[misc]
    """SQLAlchemy registry store that asks governance before anything changes."""

    def _initialize_store_state(self) -> None:
        with acting_as(system("gateway")):
            super()._initialize_store_state()

    @cached_property
    def tracking(self) -> GovernedTrackingStore:
        """Return the tracking store beside this registry, without MLflow's global default."""
        return GovernedTrackingStore(self.db_uri, "mlflow-artifacts:/")

    # --- What the caller sees: MLflow's own hooks for workspaces, cut by project ------------------

    def _get_query(self, session: Any, model: Any) -> Any:
        return super()._get_query(session, model).filter(*_visible(model))

    def _get_workspace_clauses(self, model: Any) -> list[Any]:
        return [*super()._get_workspace_clauses(model), *_visible(model)]

    # --- Aliases and stages ----------------------------------------------------------------------

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> None:
        passed = self._require_alias_change(name, alias, version)
        super().set_registered_model_alias(name, alias, version)
        if passed is not None and passed.warning:
            # MLflow's answer to this call is empty: the warning goes where its caller looks next.
            tag = ModelVersionTag(WARNING_TAG, passed.warning[:MAX_TAG])
            super().set_model_version_tag(name, version, tag)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        self._require_alias_change(name, alias, None)
        super().delete_registered_model_alias(name, alias)

    def transition_model_version_stage(
        self, name: str, version: Any, stage: str, archive_existing_versions: Any
    ) -> Any:
        _require_change("transition_stage", name, version, detail=str(stage))
        return super().transition_model_version_stage(
            name, version, stage, archive_existing_versions
        )

    def _require_alias_change(
        self, name: str, alias: str, version: Any
    ) -> enforcement.LetThrough | None:
        with governed():
            model = _require_known(name)
            number = None if version is None else _number(version)
            if not enforcement.is_enforced(alias):
                access.require_writer(model.project, "move aliases")
            change = enforcement.AliasChange(name, alias, number)
            return enforcement.require_alias_change(change, actor=require_actor())

    # --- Deleting and renaming -------------------------------------------------------------------

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        """Refuse: decisions, versions and lineage are recorded under the name."""
        _require_change("rename_model", name, detail=str(new_name))
        with governed(), _recorded("registry.rename_model", name):
            raise NotPermitted(
                f"{name} keeps its name, since its decisions are recorded under it. Register a "
                "new model instead.",
                code="name_is_kept",
            )

    def delete_registered_model(self, name: str) -> None:
        _require_change("delete_model", name)
        with governed(), _recorded("registry.delete_model", name):
            mirror.forget_registered_model(name)
        super().delete_registered_model(name)
        access.models_changed()

    def delete_model_version(self, name: str, version: Any) -> None:
        _require_change("delete_version", name, version)
        super().delete_model_version(name, version)
        with governed():
            mirror.mirror_version_deleted(name, int(version), actor=require_actor())

    # --- Tags and descriptions -------------------------------------------------------------------

    def set_registered_model_tag(self, name: str, tag: Any) -> None:
        _require_tag(name, tag.key)
        super().set_registered_model_tag(name, tag)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        _require_tag(name, key)
        super().delete_registered_model_tag(name, key)

    def set_model_version_tag(self, name: str, version: Any, tag: Any) -> None:
        _require_tag(name, tag.key, version)
        super().set_model_version_tag(name, version, tag)

    def delete_model_version_tag(self, name: str, version: Any, key: str) -> None:
        _require_tag(name, key, version)
        super().delete_model_version_tag(name, version, key)

    def update_registered_model(self, name: str, description: Any, **more: Any) -> Any:
        _require_tag(name)
        return super().update_registered_model(name, description, **more)

    def update_model_version(self, name: str, version: Any, description: Any = None) -> Any:
        _require_tag(name)
        return super().update_model_version(name, version, description)

    # --- Creating --------------------------------------------------------------------------------

    def create_registered_model(self, name: str, tags: Any = None, **more: Any) -> Any:
        with governed():
            if access.registered_model(name) is not None and name not in (_names() or [name]):
                raise InvalidInput(f"The model name {name!r} is taken.", code="name_taken")
            project = access.project_of_model(name)
            access.require_writer(project, "register models")
            _refuse_reserved(name, tags)
        model = super().create_registered_model(name, tags, **more)
        with governed():
            mirror.mirror_registered_model(name, project, actor=require_actor())
            access.models_changed()
        return model

    def create_model_version(
        self, name: str, source: str, run_id: str | None = None, tags: Any = None, **more: Any
    ) -> Any:
        with governed():
            model = _require_known(name)
            access.require_writer(model.project, "register model versions")
            _refuse_reserved(name, tags)
            origin = intake.locate(self, source, run_id, more.get("model_id"))
            with _recorded("registry.create_version", name):
                intake.require_same_project(origin, model)
        version = super().create_model_version(name, source, origin.run_id, tags, **more)
        try:
            with governed():
                facts = intake.inspect(name, int(version.version), source, origin)
                mirror.mirror_model_version(facts, actor=require_actor())
        except MlflowException:
            # A version that governance does not know must not stay behind.
            super().delete_model_version(name, version.version)
            raise
        return version

    # --- What is not offered ---------------------------------------------------------------------

    def create_webhook(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: MLflow's webhooks would carry every project's events to one address."""
        with governed():
            raise NotPermitted("MLflow's webhooks are switched off here.", code="not_offered")


def _names() -> list[str] | None:
    return access.visible_model_names()


def _visible(model: Any) -> list[Any]:
    if model not in _NAMED:
        return []
    with governed():
        names = _names()
    if names is None:
        return []
    column = model.name
    return [column.in_(names)] if names else [sqlalchemy.false()]


def _require_known(name: str) -> Any:
    """Return the mirrored model; one that governance does not know is out of everybody's reach."""
    model = access.registered_model(name)
    names = _names()
    if model is None or (names is not None and name not in names):
        raise NotFound(f"Registered Model with name={name} not found", code="model_not_found")
    return model


def _require_change(action: str, name: str, version: Any = None, *, detail: str = "") -> None:
    with governed():
        model = _require_known(name)
        enforcement.require_registry_change(
            actor=require_actor(),
            action=action,
            model_name=name,
            version=None if version is None else _number(version),
            detail=detail,
        )
        access.require_writer(model.project, "change registered models")


def _require_tag(name: str, key: str = "", version: Any = None) -> None:
    if key and reserved.is_reserved(key):
        _require_change("reserved_tag", name, version, detail=key)
    with governed():
        access.require_writer(_require_known(name).project, "describe models")


def _refuse_reserved(name: str, tags: Any) -> None:
    for key in reserved.reserved_keys(tags):
        enforcement.require_registry_change(
            actor=require_actor(), action="reserved_tag", model_name=name, detail=key
        )


def _recorded(action: str, target: str) -> AbstractContextManager[None]:
    """Keep what is refused inside as a denied attempt."""
    model = access.registered_model(target)
    project = model.project if model else None
    attempt = Attempt(action, target, project, model_name=target)
    return refusals_recorded(attempt, actor=require_actor())


def _number(version: Any) -> int:
    try:
        return int(version)
    except (TypeError, ValueError):
        raise InvalidInput(f"{version!r} is not a version number.", code="bad_version") from None
