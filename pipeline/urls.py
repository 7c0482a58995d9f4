"""Addresses of this app's pages and of scoring."""

from django.urls import path

from pipeline.views import pages, serve

app_name = "pipeline"

urlpatterns = [
    path("deployments/", pages.deployment_list, name="deployments"),
    path("deployments/<slug:slug>/", pages.deployment_detail, name="deployment"),
    path("drift-reports/<int:pk>/plots/<int:number>.svg", pages.report_plot, name="report-plot"),
    path("jobs/", pages.job_list, name="jobs"),
    path("serve/<slug:slug>/invocations", serve.invocations, name="invocations"),
    path("serve/<slug:slug>/labels", serve.labels, name="labels"),
]
