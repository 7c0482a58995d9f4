"""What a work item of each kind holds besides its title: its own fields, as data.

A field marked `ready` must be filled before work starts, one marked `done` before it ends;
`rules.definitions` judges them together with the runs and gates of the project. Fields whose
`is_column` is set are columns of the row, the others live in its `details`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

FieldType = Literal[
    "text", "long_text", "number", "choice", "list", "yes_no", "person", "item", "dataset", "run",
]  # fmt: skip
Needed = Literal["", "ready", "done"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind.

    `flavours` cuts it to those flavours of a story; empty means all. `choices` pairs a value with
    its words. `least` is the smallest number that makes sense.
    """

    name: str
    label: str
    type: FieldType
    help: str
    needed: Needed = ""
    choices: Sequence[tuple[str, str]] = ()
    flavours: frozenset[str] = frozenset()
    is_column: bool = False
    least: float | None = None


FLAVOURS = (("model", "Model story"), ("data", "Data story"), ("deployment", "Deployment story"))
SIZES = (("S", "Small"), ("M", "Medium"), ("L", "Large"))
DATASET_ROLES = (
    ("train", "Training"),
    ("validation", "Validation"),
    ("test", "Test"),
    ("monitoring", "Monitoring"),
)
SEVERITIES = (("critical", "Critical"), ("high", "High"), ("medium", "Medium"), ("low", "Low"))
ACCESS = (("requested", "Requested"), ("granted", "Granted"), ("none", "None"))

#: Kinds whose time box is hard: it runs from the start of the work, and ends it.
TIME_BOXED = frozenset({"spike", "experiment"})
#: Which columns give an item its size. Research is not measured in points, so that velocity speaks
#: of engineering only; an epic is as large as its children.
SIZED_BY: Mapping[str, frozenset[str]] = {
    "epic": frozenset(),
    "story": frozenset({"points", "hours"}),
    "task": frozenset({"points", "hours"}),
    "bug": frozenset({"points", "hours"}),
    "data": frozenset({"points", "hours"}),
    "spike": frozenset({"hours", "time_box_hours"}),
    "experiment": frozenset({"hours", "time_box_hours"}),
    "hypothesis": frozenset({"hours"}),
    "review": frozenset({"hours"}),
    "finding": frozenset({"hours"}),
}
SIZE_WORDS: Mapping[str, str] = {
    "epic": "the sum of its children",
    "spike": "its time box",
    "experiment": "its time box",
    "hypothesis": "small, medium or large (the field size)",
    "review": "hours",
    "finding": "hours",
}
_MODEL, _DATA, _DEPLOYMENT = (frozenset({name}) for name, _ in FLAVOURS)

_TIME_BOX = Field(
    "time_box_hours", "Time box (hours)", "number",
    "Hours by the clock from the start of the work; then it ends, whatever was found. Example: 16.",
    needed="ready", is_column=True, least=1,
)  # fmt: skip
_METRIC = Field(
    "metric_key", "Metric", "text",
    "The metric's key in the runs. Example: validation_roc_auc.",
    needed="ready", is_column=True,
)  # fmt: skip

FIELDS: Mapping[str, Sequence[Field]] = {
    "epic": (
        Field("milestone", "Milestone", "text",
              "Which milestone it leads to. Example: data and first baseline shown."),
        Field("gate", "Gate", "text",
              "Which gate it must pass. Example: validation."),
    ),
    "story": (
        Field("flavour", "Flavour", "choice",
              "What it delivers; decides what ready and done mean. Leave empty for other stories.",
              choices=FLAVOURS),
        Field("acceptance_criteria", "Acceptance criteria", "long_text",
              "How to tell that it is there. Example: the list holds 500 customers every Monday.",
              needed="ready"),
        Field("expert", "Subject-matter expert", "text",
              "Who can be asked. Example: Nora Stein, head of the call centre."),
        Field("approach", "Approach", "text",
              "Which approach of the approved scope it builds. Example: gradient boosting.",
              needed="ready", flavours=_MODEL),
        Field("interface", "Interface", "long_text",
              "What goes in and out, as agreed with those who call it. "
              "Example: 18 columns in, one probability out.",
              needed="ready", flavours=_MODEL),
        Field("tests", "Tests", "long_text",
              "Which tests pass, and where. Example: 42 tests of the features, build 118.",
              needed="done", flavours=_MODEL),
        Field("model_signature", "Model signature", "text",
              "The model version whose signature was logged. Example: term-deposit-calls v3.",
              needed="done", flavours=_MODEL),
        Field("model_card", "Model card", "text",
              "Where the draft of the card is. Example: attached as card.md.",
              needed="done", flavours=_MODEL),
        Field("retrained_by", "Retrained by", "person",
              "User name of another person who trained it again and got the same. Example: mia.",
              needed="done", flavours=_MODEL),
        Field("data_owner", "Data owner", "text",
              "Who answers for the data. Example: Dora Klein, customer data.",
              needed="ready", flavours=_DATA),
        Field("access", "Access", "choice",
              "Whether the data can be read today; only granted is ready.",
              needed="ready", choices=ACCESS, flavours=_DATA),
        Field("lawful_basis", "Lawful basis", "text",
              "Why the data may be used. Example: legitimate interest, assessment LIA-12.",
              needed="ready", flavours=_DATA),
        Field("expectations", "Schema and expectations", "long_text",
              "What was checked, and how it went. Example: no duplicate keys in 41,188 rows.",
              needed="done", flavours=_DATA),
        Field("dataset_ref", "Dataset version", "dataset",
              "The registered version, with its digest. Example: dataset_version:3.",
              needed="done", flavours=_DATA),
        Field("datasheet", "Datasheet", "long_text",
              "What was added to the datasheet. Example: origin and refusal rate of 2010.",
              needed="done", flavours=_DATA),
        Field("gate", "Gate of the version", "text",
              "The gate that the version has passed. Example: validation.",
              needed="ready", flavours=_DEPLOYMENT),
        Field("rollback_plan", "Rollback", "long_text",
              "How to go back, and how long it takes. Example: alias to v2, one minute.",
              needed="ready", flavours=_DEPLOYMENT),
        Field("smoke_test", "Smoke test", "long_text",
              "What was called and what came back. Example: 100 rows, 0.2 s, no error.",
              needed="done", flavours=_DEPLOYMENT),
        Field("monitoring", "Monitoring", "long_text",
              "Which monitors are live. Example: drift daily, lift monthly.",
              needed="done", flavours=_DEPLOYMENT),
        Field("rollback_tried", "Rollback tried", "long_text",
              "When it was tried, and how it went. Example: 3 March, back in 40 seconds.",
              needed="done", flavours=_DEPLOYMENT),
    ),
    "task": (),
    "bug": (
        Field("steps", "How to see it", "long_text",
              "What to do to see it, and what should be seen. Example: sort by date, see months."),
    ),
    "spike": (
        Field("question", "Question", "long_text",
              "What is not known. Example: can call notes be joined to contacts by key?",
              needed="ready"),
        Field("method", "Method", "long_text",
              "How to find out. Example: join one month, count what has no partner.",
              needed="ready"),
        _TIME_BOX,
        Field("evidence", "Evidence", "long_text",
              "What was seen, and where. Example: 3 % without a partner, notebook attached.",
              needed="done"),
        Field("next_steps", "Next steps", "long_text",
              "What follows for the plan. Example: a data story for the missing 3 %.",
              needed="done"),
    ),
    "hypothesis": (
        Field("statement", "Statement", "long_text",
              "If we do this, that will happen, because. Empty: the title says it."),
        Field("rationale", "Rationale", "long_text",
              "Why it should hold. Example: earlier contacts carry the strongest signal."),
        _METRIC,
        Field("expected_effect", "Expected effect", "text",
              "How much, in which direction. Example: at least 0.02 ROC AUC more.",
              needed="ready", is_column=True),
        Field("smallest_effect", "Smallest effect of interest", "text",
              "Below this it does not matter. Example: 0.005 ROC AUC."),
        Field("dataset_role", "Part of the data", "choice",
              "On which part it is judged; the test part is used up by looking.",
              choices=DATASET_ROLES),
        Field("dataset_ref", "Dataset version", "dataset",
              "The version on which it is judged; its data gate must be passed. "
              "Example: dataset_version:3.",
              needed="ready"),
        Field("criterion_key", "Criterion", "text",
              "Metric of the scope's criterion that it serves. Example: test_roc_auc.",
              needed="ready"),
        Field("size", "Size", "choice", "How much work it looks like.", choices=SIZES),
        Field("effect", "Effect found", "text",
              "What was measured. Example: 0.031 ROC AUC less.", needed="done"),
        Field("effect_uncertainty", "Uncertainty", "text",
              "How sure that is. Example: 95 % interval 0.024 to 0.038 over 5 seeds.",
              needed="done"),
        Field("changes_to_scope", "What it changes in the scope", "long_text",
              "What follows for the scope, or why nothing does. Example: split by month only.",
              needed="done"),
    ),
    "experiment": (
        Field("hypothesis", "Hypothesis", "item",
              "Number of the work item that it tests. Example: 12."),
        Field("approach", "Approach", "text",
              "Which approach of the approved scope it tries. Example: gradient boosting."),
        Field("experiment_id", "MLflow experiment", "text",
              "Its number in MLflow. Example: 4."),
        Field("criterion_keys", "Criteria", "list",
              "Metrics of the scope's criteria that it serves, one a line. Example: test_roc_auc."),
        Field("split", "Split", "text",
              "How rows are split; the same as in the sibling experiments. "
              "Example: by month, last five for the test.",
              needed="ready"),
        Field("metrics", "Metrics", "list",
              "Which metrics are compared, one a line; the same as in the sibling experiments. "
              "Example: validation_roc_auc.",
              needed="ready"),
        Field("seed_policy", "Seeds", "text",
              "Which seeds, how many repeats. Example: seed 0, repeated with 1 to 4 if close.",
              needed="ready"),
        Field("compute_budget_hours", "Compute budget (hours)", "number",
              "Hours of compute that it may use. Example: 2.", needed="ready", least=0),
        Field("makes_baseline", "Makes the baseline", "yes_no",
              "Yes if its own run is what the others are compared with."),
        Field("baseline_run", "Baseline run", "run",
              "Id of the finished run that it is compared with. Not for the baseline itself.",
              needed="ready"),
        _TIME_BOX,
        Field("comparison", "Against the baseline", "long_text",
              "How it did against the baseline. Example: 0.04 ROC AUC more than the rules.",
              needed="done"),
        Field("error_analysis", "Error analysis", "long_text",
              "Where it is wrong, and why. Example: misses retired customers in May.",
              needed="done"),
        Field("second_reader", "Second reader", "person",
              "User name of someone else who read the result and commented here. Example: mia.",
              needed="done"),
    ),
    "data": (
        Field("source", "Source", "text",
              "Where the data come from. Example: call-centre system, nightly export.",
              needed="ready"),
        Field("quality_checks", "Quality checks", "long_text",
              "What was checked, and how it went. Example: 12 exact duplicates dropped.",
              needed="done"),
        Field("dataset_ref", "Dataset version", "dataset",
              "The version that came out of it. Example: dataset_version:3.", needed="done"),
    ),
    "review": (
        Field("gate", "Gate", "text", "Which gate. Example: validation.", needed="ready"),
        Field("approvers", "Approvers", "list",
              "User names of those who decide, one a line. Example: vera.", needed="ready"),
    ),
    "finding": (
        Field("severity", "Severity", "choice", "How bad it is.", needed="ready",
              choices=SEVERITIES),
        Field("origin_gate", "Found at gate", "text",
              "Where it was found. Example: validation."),
    ),
}  # fmt: skip


def fields_of(kind: str, flavour: str = "") -> list[Field]:
    """Return the fields that an item of this kind and flavour shows."""
    return [one for one in FIELDS[kind] if not one.flavours or flavour in one.flavours]
