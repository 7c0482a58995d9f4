"""Who may see and write what of MLflow: by the project that an experiment or a model belongs to."""

import re
from collections.abc import Collection

from pipeline.gateway.identity import UNIDENTIFIED, forget, remember, require_actor
from pipeline.models import Experiment, RegisteredModel, Run
from projects.access import require_role
from projects.actors import Actor
from projects.errors import InvalidInput, NotFound, NotPermitted
from projects.models import Project, Stakeholder

Role = Stakeholder.Role

WRITERS: frozenset[str] = frozenset(
    {Role.DATA_SCIENTIST, Role.ML_ENGINEER, Role.DATA_ENGINEER, Role.LEAD}
)
#: Parts of the system that may write runs and versions; none of them may move an alias.
WRITING_PARTS: frozenset[str] = frozenset({"retraining", "training", "jobs", UNIDENTIFIED})

_EXPERIMENTS = "experiments"
_MODELS = "models"


def visible_experiment_ids() -> list[int] | None:
    """Return MLflow's ids of the experiments that the caller may see; None means all."""
    actor = require_actor()
    if actor.is_system:
        return None
    return remember(_EXPERIMENTS, lambda: _experiment_ids(actor))


def visible_model_names() -> list[str] | None:
    """Return the names of the registered models that the caller may see; None means all."""
    actor = require_actor()
    if actor.is_system:
        return None
    return remember(_MODELS, lambda: _model_names(actor))


def experiments_changed() -> None:
    """Look the visible experiments up again within this call."""
    forget(_EXPERIMENTS)


def models_changed() -> None:
    """Look the visible models up again within this call."""
    forget(_MODELS)


def require_experiment_writer(experiment_id: int | str) -> Project:
    """Refuse callers who may not log into this experiment; return its project."""
    found = experiment(experiment_id)
    if found is None:
        raise NotFound(
            f"Experiment {experiment_id} belongs to no project. Create one whose name begins with "
            "the project's short name and a slash, such as 'my-project/baseline'.",
            code="experiment_without_project",
        )
    require_writer(found.project, "write runs")
    return found.project


def experiment(experiment_id: int | str) -> Experiment | None:
    """Return the mirrored experiment, whoever may see it."""
    rows = Experiment.objects.select_related("project").filter(experiment_id=str(experiment_id))
    return remember(f"experiment:{experiment_id}", rows.first)


def require_run_writer(run_id: str, experiment_id: int | str) -> None:
    """Refuse everyone but the launcher: what a run holds is the work of one known author."""
    require_experiment_writer(experiment_id)
    actor = require_actor()
    launched_as = remember(f"run:{run_id}", lambda: _launched_as(run_id))
    if launched_as not in {None, actor.ref}:
        raise NotPermitted(
            f"Run {run_id} was launched by someone else; only they may log into it.",
            code="not_the_launcher",
        )


def require_writer(project: Project, action: str) -> None:
    """Refuse callers without a role that builds models on this project."""
    actor = require_actor()
    if actor.is_system:
        if actor.name not in WRITING_PARTS:
            raise NotPermitted(f"The part {actor.name!r} may not {action}.", code="role_missing")
        return
    remember(f"writer:{project.pk}", lambda: _check_role(actor, project, action))


def project_of_experiment(name: str) -> Project:
    """Return the project whose short name begins an experiment's name, before the slash."""
    slug, slash, rest = name.partition("/")
    if slash and rest:
        project = Project.objects.visible_to(require_actor()).filter(slug=slug).first()
        if project is not None:
            return project
    raise InvalidInput(
        f"The experiment name {name!r} names no project of yours. Begin it with the project's "
        f"short name and a slash: {_example()}.",
        code="experiment_without_project",
    )


def project_of_model(name: str) -> Project:
    """Return the project that a new registered model belongs to.

    The longest short name that begins the model's name decides; a caller who works on one project
    only may choose any name.
    """
    mine = list(Project.objects.visible_to(require_actor()))
    named = [p for p in mine if re.match(rf"{re.escape(p.slug)}(?![a-z0-9])", name.lower())]
    if named:
        return max(named, key=lambda p: len(p.slug))
    if len(mine) == 1:
        return mine[0]
    raise InvalidInput(
        f"The model name {name!r} names no project of yours. Begin it with the project's short "
        f"name: {_example('-model')}.",
        code="model_without_project",
    )


def registered_model(name: str) -> RegisteredModel | None:
    """Return the mirrored registered model of that name, whoever may see it."""
    return RegisteredModel.objects.select_related("project").filter(name=name).first()


def _check_role(actor: Actor, project: Project, action: str) -> bool:
    require_role(actor, project, WRITERS, action=action)
    return True


def _experiment_ids(actor: Actor) -> list[int]:
    rows: Collection[str] = Experiment.objects.visible_to(actor).values_list(
        "experiment_id", flat=True
    )
    return [int(row) for row in rows]


def _model_names(actor: Actor) -> list[str]:
    return list(RegisteredModel.objects.visible_to(actor).values_list("name", flat=True))


def _launched_as(run_id: str) -> str | None:
    return Run.objects.filter(run_id=run_id).values_list("launched_as", flat=True).first()


def _example(suffix: str = "/baseline") -> str:
    project = Project.objects.visible_to(require_actor()).first()
    return f"'{project.slug}{suffix}'" if project else "you have no project yet"
