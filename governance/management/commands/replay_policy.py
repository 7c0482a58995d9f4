"""Run a policy over all past reviews and say what would differ."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.models import PolicyVersion
from governance.services.replay import MOST, USUAL, Outcome, Selection, as_json, replay_text
from projects.actors import system
from projects.errors import InvalidInput


class Command(BaseCommand):
    """Replay a draft from a file or a version from the database; nothing is changed."""

    help = "Run a policy over past reviews: which decisions would differ, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", nargs="?", help="A policy as YAML.")
        what.add_argument("--policy-version", type=int, help="Number in the version's address.")
        parser.add_argument("--json", action="store_true", help="Everything, as JSON.")
        parser.add_argument("--changed", action="store_true", help="Only what would differ.")
        parser.add_argument("--gate", default="")
        parser.add_argument("--since", type=date.fromisoformat, help="First day of the requests.")
        parser.add_argument("--until", type=date.fromisoformat, help="Last day of the requests.")
        parser.add_argument("--limit", type=int, default=USUAL, help=f"At most {MOST}.")

    def handle(self, *_args: Any, **options: Any) -> None:
        selection = Selection(options["limit"], options["since"], options["until"], options["gate"])
        try:
            outcome = replay_text(_text(options), selection, actor=system("command"))
        except InvalidInput as error:
            raise CommandError(error.message) from error
        if options["json"]:
            told = as_json(outcome, only_changed=options["changed"])
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
            return
        for line in _lines(outcome, only_changed=options["changed"]):
            self.stdout.write(line)


def _text(options: dict[str, Any]) -> str:
    if options["file"]:
        try:
            return Path(options["file"]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error
    version = PolicyVersion.objects.filter(pk=options["policy_version"]).first()
    if version is None:
        raise CommandError(f"There is no policy version {options['policy_version']}.")
    return version.text


def _lines(outcome: Outcome, *, only_changed: bool) -> Iterator[str]:
    summary = outcome.summary
    yield (
        f"{outcome.name} over {summary.reviews} past reviews: {summary.changed} would differ, "
        f"{summary.unknown_reviews} cannot be told ({summary.unknown_facts} unknown facts)."
    )
    if outcome.left_out:
        yield f"{outcome.left_out} older reviews were left out; raise --limit to take them in."
    for gate in summary.gates:
        decisions = ", ".join(f"{name} {count}" for name, count in gate.draft.items() if count)
        yield f"  {gate.gate}: {gate.reviews} reviews, {gate.changed} differ; {decisions}"
        if gate.added:
            span = gate.added
            yield f"    waiting added: {span.median:.1f} h ({span.low:.1f} to {span.high:.1f})"
        if gate.without_data:
            yield f"    waiting added: no data for {gate.without_data}"
    for one in summary.requirements:
        if one.never_fails or one.always_fails:
            word = "never" if one.never_fails else "always"
            yield f"  {one.gate}.{one.key} {word} fails, in {one.judged} judgings"
    for review in outcome.changed if only_changed else outcome.reviews:
        past = review.past
        yield f"{past.gate} of {past.label} ({past.project}): {past.decision} → {review.decision}"
        yield from (f"    {reason}" for reason in (*review.reasons, *review.unknown))
