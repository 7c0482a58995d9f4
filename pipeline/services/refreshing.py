"""Our mirror brought up to date with what MLflow's store holds now, before anything is decided."""

from pipeline.adapters import runs
from pipeline.services.mirror import RunFacts, mirror_run


def refresh_run(run_id: str) -> RunFacts:
    """Read a run from MLflow's store, bring our row up to date and return what was read.

    Raises:
        NotFound: MLflow has no such run.
        Unavailable: code `mlflow_unreachable`.
    """
    facts = runs.read(run_id)
    mirror_run(facts)
    return facts
