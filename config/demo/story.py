"""The story from its first chapter to the table at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import requests

from config.demo import (
    credit,
    data,
    experiments,
    fraud,
    months,
    promotion,
    record,
    release,
    scoping,
    serving,
)
from config.demo.cast import make_people
from config.demo.play import Play
from config.demo.stage import ActFailed, Stage
from projects.errors import DomainError

CHAPTERS: tuple[Callable[[Play], None], ...] = (
    scoping.people_and_hasty_scope,
    scoping.balanced_scope,
    data.data,
    experiments.experiments,
    promotion.promotion,
    release.release,
    serving.serving,
    months.months,
    credit.credit,
    fraud.fraud,
    record.record,
)


def play_story(base_url: str, home: Path, *, out: TextIO) -> bool:
    """Play all chapters, print what happened and where to look; return whether all of it held."""
    stage = Stage(out=out, total=len(CHAPTERS))
    play = Play(stage=stage, cast=make_people(base_url), base_url=base_url, home=home)
    try:
        for chapter in CHAPTERS:
            chapter(play)
    except (ActFailed, DomainError, requests.RequestException) as failure:
        stage.say(f"\nThe story stopped: {failure}")
        return False
    stage.table()
    _where_to_look(play)
    return True


def _where_to_look(play: Play) -> None:
    say = play.stage.say
    say("\nWhere to look")
    for title, path in (
        ("Inbox (as vera or bruno)", "/inbox/"),
        ("Portfolio", "/projects/"),
        ("Promotion that waits", f"/reviews/{play.memory['candidate_review']}/"),
        ("Promotion that was signed", f"/reviews/{play.memory['champion_review']}/"),
        ("Lineage", f"/lineage/{scoping.SLUG}/1/"),
        ("Deployment health", f"/deployments/{scoping.SLUG}/"),
        ("Validation that waits", f"/reviews/{play.memory['credit_review']}/"),
        ("Three scopes side by side", f"/projects/{fraud.SLUG}/compare-scopes/"),
        ("Sprint board", f"/sprints/{play.memory['sprint']}/board/"),
        ("Admin", "/admin/"),
        ("MLflow", "/mlflow/"),
        ("REST", "/api/docs/"),
    ):
        say(f"  {title:<28} {play.base_url}{path}")
    say("\nWho to sign in as")
    for username, password in play.cast.passwords.items():
        say(f"  {username:<8} {password}")
