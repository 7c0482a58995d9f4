"""Where joblib's work runs: in this process, on more cores, or on a Dask cluster."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import joblib

SCHEDULER = "DASK_SCHEDULER"


@contextmanager
def fan_out(scheduler: str | None = None) -> Iterator[None]:
    """Run scikit-learn's parallel parts on the Dask cluster at `scheduler`, if one is named.

    Without an argument the environment variable `DASK_SCHEDULER` decides; empty means that joblib
    uses the cores of this machine, as many as `n_jobs` says. Each job computes in one thread:
    threads that meet at a barrier after every node of a tree wait for each other most of the time
    as soon as anything else runs on the machine, up to a hundred times longer than they compute.
    """
    address = os.environ.get(SCHEDULER, "") if scheduler is None else scheduler
    if not address:
        with import_module("threadpoolctl").threadpool_limits(limits=1):
            yield
        return
    client_class = import_module("distributed").Client  # the extra `dask` installs it

    with client_class(address) as client, joblib.parallel_config(backend="dask", client=client):
        yield
