"""The governed stores of this process, for our own code; MLflow's server opens its own."""

from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.gateway import plugins
from pipeline.gateway.app import store_uri

if TYPE_CHECKING:
    from pipeline.gateway.registry_store import GovernedRegistryStore
    from pipeline.gateway.tracking_store import GovernedTrackingStore


@lru_cache(maxsize=1)
def tracking_store() -> "GovernedTrackingStore":
    """Return the tracking store, opened once in each process and after any fork."""
    return plugins.tracking_store(store_uri())


@lru_cache(maxsize=1)
def registry_store() -> "GovernedRegistryStore":
    """Return the registry store, opened once in each process and after any fork."""
    return plugins.registry_store(store_uri())
