"""What criteria are judged by: where each source is looked up, and how slices are named.

A slice of a metric is a metric of its own, named METRIC/FEATURE/VALUE: the slice `region=north` of
`test_recall` is `test_recall/region/north`, and `all_slices:region` is every metric that starts
with `test_recall/region/`. A confidence bound is named per slice in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

Numbers = Mapping[str, object]

ALL_SLICES = "all_slices:"
SAME_RUN = "same_run:"
CHAMPION = "champion"
_EMPTY: Numbers = {}


@dataclass(frozen=True, slots=True)
class CriterionFacts:
    """Everything a criterion may look at; what is absent is missing, and missing never passes.

    `metrics`, `params`, `tags` belong to the run that is judged; `artifacts` maps a path of the
    model to its size in bytes; `dataset` holds numbers of the data's profile, `monitoring` those of
    the newest report. `attestations` maps a criterion's key to what somebody put on record: a
    number, or true or false. `seed_runs` are the metrics of the finished runs that differ from the
    judged one in their seed alone, oldest first, the judged one included.

    `mismatch` says why the numbers belong to something else, and `stale` why those of a source
    (or of every source, under `*`) are older than what is judged; neither ever passes. `test_uses`
    counts the runs that were evaluated on the test data; None if nobody counted.
    """

    metrics: Numbers = field(default_factory=dict)
    baselines: Mapping[str, Numbers] = field(default_factory=dict)
    champion: Numbers | None = None
    params: Numbers = field(default_factory=dict)
    tags: Numbers = field(default_factory=dict)
    artifacts: Numbers = field(default_factory=dict)
    dataset: Numbers = field(default_factory=dict)
    monitoring: Numbers = field(default_factory=dict)
    attestations: Numbers = field(default_factory=dict)
    seed_runs: Sequence[Numbers] = ()
    run_id: str = ""
    dataset_refs: frozenset[str] = frozenset()
    dataset_digest: str = ""
    test_uses: int | None = None
    mismatch: str = ""
    stale: Mapping[str, str] = field(default_factory=dict)
    today: date | None = None
    sprints_ended: int | None = None

    def numbers(self, source: str) -> Numbers:
        """Return what a source is looked up in, by metric key; attestations by criterion key."""
        return {
            "metric": self.metrics,
            "param": self.params,
            "tag": self.tags,
            "artifact": self.artifacts,
            "dataset": self.dataset,
            "monitoring": self.monitoring,
            "attestation": self.attestations,
        }.get(source, _EMPTY)

    def baseline(self, name: str) -> Numbers | None:
        """Return a baseline's numbers; `champion` falls back to a baseline row of that name."""
        if name == CHAMPION and self.champion is not None:
            return self.champion
        return self.baselines.get(name)

    def why_stale(self, source: str) -> str:
        """Return why the numbers of a source are too old, or an empty text."""
        return self.stale.get(source) or self.stale.get("*", "")


@dataclass(frozen=True, slots=True)
class Place:
    """Under which names a criterion finds its number, the bound beside it, and its baseline's."""

    metric: str
    bound: str
    label: str


def slice_suffix(wanted: str) -> str:
    """Return what `region=north` adds to a metric's name; empty for no slice or for all."""
    if not wanted or wanted.startswith(ALL_SLICES):
        return ""
    feature, _, value = wanted.partition("=")
    return f"/{feature.strip()}/{value.strip()}" if value else f"/{feature.strip()}"


def places(metric_key: str, bound_key: str, wanted: str, numbers: Numbers) -> list[Place]:
    """Return where the criterion's number stands: one place, or one for each slice there is."""
    if not wanted.startswith(ALL_SLICES):
        suffix = slice_suffix(wanted)
        bound = bound_key + suffix if bound_key else ""
        return [Place(metric_key + suffix, bound, metric_key + suffix)]
    start = f"{metric_key}/{wanted.removeprefix(ALL_SLICES).strip()}/"
    found = sorted(name for name in numbers if name.startswith(start) and name != start)
    return [
        Place(name, bound_key + name.removeprefix(metric_key) if bound_key else "", name)
        for name in found
    ]
