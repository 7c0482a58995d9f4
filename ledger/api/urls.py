"""Addresses of the log."""

from rest_framework.routers import SimpleRouter

from ledger.api.views import LedgerViewSet

router = SimpleRouter()
router.register("ledger", LedgerViewSet, basename="ledger-entry")
