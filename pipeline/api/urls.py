"""Addresses of this app's REST resources."""

from rest_framework.routers import DefaultRouter

from pipeline.api import views

router = DefaultRouter()
router.register("datasets", views.DatasetVersionViewSet, basename="dataset")
router.register("experiments", views.ExperimentViewSet, basename="experiment")
router.register("runs", views.RunViewSet, basename="run")
router.register("model-versions", views.ModelVersionViewSet, basename="model-version")
router.register("deployments", views.DeploymentViewSet, basename="deployment")
router.register("monitors", views.MonitorViewSet, basename="monitor")
router.register("drift-reports", views.DriftReportViewSet, basename="drift-report")
router.register("retraining-policies", views.RetrainingPolicyViewSet, basename="retraining-policy")
router.register("jobs", views.JobViewSet, basename="job")
