"""Ledger events of the pipeline app."""

from ledger.registry import register

register("dataset.registered", "Dataset version registered")
register("dataset.explored", "Dataset version explored")

register("experiment.created", "MLflow experiment created")
register("run.created", "Training run started")
register("run.finished", "Training run ended")
register("run.deleted", "Training run deleted in MLflow")
register("registered_model.created", "Registered model created")
register("model_version.created", "Model version registered")
register("model_version.deleted", "Model version deleted in MLflow")

register("job.queued", "Background job queued")
register("job.done", "Background job done")
register("job.failed", "Background job failed")
register("job.cancel_requested", "Running background job asked to stop")
register("job.cancelled", "Background job cancelled")
register("job.retried", "Background job queued again")

register("deployment.created", "Deployment created")
register("deployment.version_changed", "Deployment takes another model version")
register("deployment.verified", "Deployment loaded the files that were signed")
register("deployment.refused", "Deployment refused to serve")
register("deployment.stopped", "Deployment stopped")
register("labels.recorded", "Labels recorded for earlier predictions")

register("monitor.configured", "Monitor configured")
register("drift_report.created", "Monitor looked at a window")
register("monitor.breached", "Monitor saw a limit broken")
register("retraining.configured", "Retraining policy configured")
register("retraining.finished", "Retraining ended")
register("registry.reconciled", "Registry compared with the decisions, differences found")
