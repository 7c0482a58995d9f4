"""Everything below /mlflow/ belongs to MLflow's application."""

from django.urls import path

from pipeline.gateway.views import gateway

app_name = "gateway"

urlpatterns = [
    path("", gateway, name="home"),
    path("<path:path>", gateway, name="call"),
]
