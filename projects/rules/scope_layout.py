"""The nine sections of a scoping document, in reading order: which fields and rows stand where.

The form and the page both follow it, so that a link to a field leads to the same place on each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: A field, or fields that share a line.
Line = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields that belong together."""

    title: str
    lines: tuple[Line, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(
            name for line in self.lines for name in ([line] if isinstance(line, str) else line)
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of rows, by the name that it has in the document's content."""

    name: str


@dataclass(frozen=True, slots=True)
class Section:
    """One section: what it asks for, and the parts that answer."""

    key: str
    title: str
    question: str
    parts: tuple[Fields | Rows, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return every field and list of the section."""
        return tuple(
            name
            for part in self.parts
            for name in ([part.name] if isinstance(part, Rows) else part.names)
        )


SECTIONS: Sequence[Section] = (
    Section(
        "problem",
        "Problem, users and the decision informed",
        "What is wrong today, for whom, and which decision will change? An outsider should be "
        "able to follow.",
        (
            Fields("The problem", ("title", "summary", "problem_statement", "current_process")),
            Rows("affected_parties"),
            Fields(
                "Decision and use",
                (
                    "decision_informed",
                    ("acting_role", "autonomy"),
                    "action_on_output",
                    "intended_use",
                    "out_of_scope_use",
                    "foreseeable_misuse",
                ),
            ),
            Fields("Boundaries", ("in_scope", "out_of_scope", "parked_ideas")),
            Rows("constraints"),
            Rows("assumptions"),
        ),
    ),
    Section(
        "value",
        "Value, baselines and error costs",
        "What will be better, from where to where, what has to be beaten, and what does a wrong "
        "prediction cost?",
        (
            Rows("objectives"),
            Rows("baselines"),
            Fields(
                "What errors cost",
                (("false_positive_cost", "false_negative_cost", "currency"), "error_cost_basis"),
            ),
        ),
    ),
    Section(
        "criteria",
        "Criteria",
        "Which numbers decide: what it must reach, what must not get worse, and when it stops? "
        "They are locked once the scope is approved.",
        (Rows("criteria"),),
    ),
    Section(
        "prior_art",
        "Prior art and approaches",
        "What did others achieve, does it hold on our own data, and which two to four ways will "
        "be compared, each in its time box?",
        (
            Rows("prior_art"),
            Rows("approaches"),
            Rows("decision_weights"),
            Rows("decision_scores"),
        ),
    ),
    Section(
        "data",
        "Data availability and quality",
        "What is predicted, from which data, tested how, and when is the truth known?",
        (
            Fields(
                "Task and test",
                (("ml_task", "target"), ("is_time_ordered", "split_strategy")),
            ),
            Rows("data_sources"),
            Rows("feature_notes"),
            Fields(
                "Ground truth in production",
                (("ground_truth", "ground_truth_delay_days"), "ground_truth_method"),
            ),
        ),
    ),
    Section(
        "effort",
        "Feasibility, estimates and cost",
        "Why machine learning, can it be done, what does it take, and does it pay?",
        (
            Fields("Why machine learning", ("why_ml", "simplest_alternative")),
            Rows("feasibility"),
            Rows("estimates"),
            Rows("sprint_plan"),
            Fields(
                "Costs",
                (
                    ("build_cost", "tooling_cost", "labelling_cost"),
                    ("annual_run_cost", "annual_maintenance_cost"),
                    "cost_note",
                ),
            ),
            Fields(
                "Benefits of a year",
                (
                    ("annual_benefit_low", "annual_benefit", "annual_benefit_high"),
                    "benefit_basis",
                    "benefit_measured_by",
                ),
            ),
        ),
    ),
    Section(
        "risks",
        "Risks, ethics and law",
        "What may go wrong, for whom, who does what about it, and which rules apply?",
        (
            Rows("risks"),
            Fields(
                "Risk tier",
                (
                    ("tier_exposure", "tier_purpose"),
                    ("tier_autonomy", "tier_reversibility"),
                    "tier_override",
                    "tier_override_reason",
                ),
            ),
            Rows("regulations"),
            Fields(
                "Ethics review",
                (
                    ("ethics_outcome", "ethics_reviewer", "ethics_reviewed_on"),
                    "ethics_conditions",
                ),
            ),
            Fields(
                "Fairness",
                (
                    "protected_attributes",
                    "fairness_slices",
                    "fairness_metrics",
                    "fairness_tolerances",
                    "fairness_justification",
                ),
            ),
            Fields(
                "Explanation, security and privacy",
                (
                    ("explainability", "explainability_audience"),
                    "explainability_deliverable",
                    "threats",
                    ("dpia", "retention_days"),
                ),
            ),
            Rows("open_questions"),
        ),
    ),
    Section(
        "people",
        "Stakeholders and sign-off roles",
        "Who decides, who does, who is asked and told, and when do they meet?",
        (
            Fields("Who knows the work", ("experts_interviewed",)),
            Rows("responsibilities"),
            Rows("milestones"),
            Fields("Demonstrations", ("demo_dataset",)),
        ),
    ),
    Section(
        "operation",
        "Deployment, monitoring and retirement",
        "What happens without the model, what is watched, who acts, and when is it trained again "
        "or retired?",
        (
            Fields(
                "Deployment",
                (
                    ("deployment_mode", "target_environment"),
                    "consumer",
                    ("latency_limit_ms", "volume_per_day", "freshness_limit"),
                    "fallback",
                    "rollback",
                ),
            ),
            Rows("monitoring_plan"),
            Fields(
                "Human oversight",
                (
                    "oversight_person",
                    "oversight_override",
                    "oversight_stop",
                    "oversight_training",
                ),
            ),
            Fields(
                "Retraining and retirement",
                ("retraining_policy", "retraining_triggers", "retirement_criteria"),
            ),
            Fields("Your organisation's own fields", ("custom_fields",)),
        ),
    ),
)

SECTION_OF: dict[str, str] = {name: section.key for section in SECTIONS for name in section.names}


def field_groups() -> Iterator[Fields]:
    """Yield the groups of fields in the order of the document."""
    for section in SECTIONS:
        yield from (part for part in section.parts if isinstance(part, Fields))
