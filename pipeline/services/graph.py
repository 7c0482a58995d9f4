"""Where the things of this app stand in the lineage graph."""

from governance.models import LineageNode, Promotion
from governance.services import lineage
from governance.services.lineage import Node
from pipeline.models import DatasetVersion, Deployment, DriftReport, ModelVersion
from projects.errors import NotFound

Kind = LineageNode.Kind


def version_node(version: ModelVersion) -> LineageNode:
    """Return the node of a model version; the gateway records it when the version is made."""
    try:
        return lineage.model_version_node(version.ref)
    except NotFound:
        node = Node(Kind.MODEL_VERSION, version.ref, str(version), version.files_digest)
        return lineage.record_node(node, project=version.model.project)


def dataset_node(dataset: DatasetVersion) -> LineageNode:
    """Return the node of a dataset version."""
    node = Node(Kind.DATASET, dataset.ref, str(dataset), dataset.digest)
    return lineage.record_node(node, project=dataset.project)


def deployment_node(deployment: Deployment) -> LineageNode:
    """Return the node of a deployment."""
    url = f"/deployments/{deployment.slug}/"
    node = Node(Kind.DEPLOYMENT, deployment.ref, deployment.slug, url=url)
    return lineage.record_node(node, project=deployment.project)


def predictions_node(deployment: Deployment, version: ModelVersion) -> LineageNode:
    """Return the node that stands for all answers of one version at one deployment."""
    ref = f"predictions:{deployment.pk}:{version.pk}"
    url = f"/deployments/{deployment.slug}/"
    node = Node(Kind.PREDICTIONS, ref, f"Predictions of {version}", url=url)
    return lineage.record_node(node, project=deployment.project)


def report_node(report: DriftReport, deployment: Deployment) -> LineageNode:
    """Return the node of a drift report."""
    label = f"Drift report {report.window_start:%Y-%m-%d} to {report.window_end:%Y-%m-%d}"
    url = f"/deployments/{deployment.slug}/"
    node = Node(Kind.DRIFT_REPORT, report.ref, label, url=url)
    return lineage.record_node(node, project=deployment.project)


def record_serving(deployment: Deployment, promotion: Promotion, version: ModelVersion) -> None:
    """Record that the version serves at the deployment because of the promotion."""
    served = deployment_node(deployment)
    lineage.record_edge(version_node(version), served, "deployed_as")
    lineage.record_edge(lineage.promotion_node(promotion), served, "permits")
    lineage.record_edge(served, predictions_node(deployment, version), "answered")
