"""Pictures of a decision matrix: totals by role, and how totals move with one weight."""

from projects.charts.pictures import GREY, INK, SERIES, Caption, Picture, canvas, finish
from projects.rules.decision_matrix import FULL_WEIGHT, Verdict
from projects.rules.decision_tables import course_of, totals_table
from projects.rules.decision_words import sentences_of
from projects.rules.words import role_words

_GROUP = 0.8  # of the room between two roles
_BEST = 5
_DASHES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (4, 1.5, 1, 1.5)))


def totals_picture(verdict: Verdict) -> Picture:
    """Draw each role's total for each approach as grouped bars."""
    names = verdict.grid.approaches
    width = _GROUP / max(len(names), 1)
    table = totals_table(verdict)
    with canvas() as (figure, axes):
        for number, name in enumerate(names):
            left = [place - _GROUP / 2 + (number + 0.5) * width for place in range(len(table))]
            bars = axes.bar(
                left, [row[name] for row in table], width * 0.92, label=name, color=_colour(number)
            )
            axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=8, color=INK)
        axes.set_xticks(range(len(table)), [role_words(str(row["role"])) for row in table])
        axes.set_ylim(0, _BEST)
        axes.set_ylabel("weighted score, 1 to 5")
        axes.grid(visible=False, axis="x")
        figure.legend(loc="outside upper center", ncols=min(len(names), 2))
        caption = Caption("Totals by role", " ".join(sentences_of(verdict)))
        return finish(figure, caption, table)


def flip_picture(verdict: Verdict, role: str, criterion: str) -> Picture:
    """Draw how one role's totals move with the weight of one criterion."""
    course = course_of(verdict, role, criterion)
    weights = [row["weight"] for row in course.table]
    names = verdict.grid.approaches
    with canvas() as (figure, axes):
        for number, name in enumerate(names):
            axes.plot(
                weights,
                [row[name] for row in course.table],
                label=name,
                color=_colour(number),
                linestyle=_DASHES[number % len(_DASHES)],
                linewidth=2,
            )
        axes.axvline(course.weight, color=INK, linewidth=1.2)
        axes.annotate(
            f"now {course.weight}",
            (course.weight, 1),
            (-4 if course.weight > FULL_WEIGHT / 2 else 4, 4),
            textcoords="offset points",
            ha="right" if course.weight > FULL_WEIGHT / 2 else "left",
            color=INK,
        )
        for flip in course.flips:
            axes.axvline(float(flip.at), color=GREY, linewidth=1, linestyle=(0, (2, 2)))
        axes.set_xlim(0, FULL_WEIGHT)
        axes.set_ylim(1, _BEST)
        axes.set_xlabel(f"weight of {criterion}")
        axes.set_ylabel("weighted score, 1 to 5")
        figure.legend(loc="outside upper center", ncols=min(len(names), 2))
        return finish(figure, Caption(course.title, course.sentence), course.table)


def _colour(number: int) -> str:
    return SERIES[number % len(SERIES)]
