"""Addresses of the REST resources of projects."""

from rest_framework.routers import SimpleRouter

from projects.api import portfolio, views, work_items
from projects.api.ceremonies import CeremonyViewSet, RetroActionViewSet
from projects.api.deviations import DeviationViewSet
from projects.api.scope_copies import ScopeTemplateViewSet

router = SimpleRouter()
router.register("projects", views.ProjectViewSet, basename="project")
router.register("stakeholders", views.StakeholderViewSet, basename="stakeholder")
router.register("scoping-documents", views.ScopingDocumentViewSet, basename="scoping-document")
router.register("sprints", views.SprintViewSet, basename="sprint")
router.register("work-items", work_items.WorkItemViewSet, basename="work-item")
router.register("scope-templates", ScopeTemplateViewSet, basename="scope-template")
router.register("portfolio", portfolio.PortfolioViewSet, basename="portfolio")
router.register("deviations", DeviationViewSet, basename="deviation")
router.register("ceremonies", CeremonyViewSet, basename="ceremony")
router.register("retrospective-actions", RetroActionViewSet, basename="retrospective-action")
