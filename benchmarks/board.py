"""How long the board of a sprint with 200 items takes: `python benchmarks/board.py`.

Fills a database of its own in a temporary directory and asks for the page as a browser would.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ITEMS, ASKED = 200, 20


def main() -> None:
    """Print the median and the slowest answer in milliseconds."""
    os.environ["COUNTERSIGN_HOME"] = tempfile.mkdtemp(prefix="countersign-board-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    user, url = _fill()
    browser = Client(headers={"host": "localhost"})
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    browser.get(url)  # Compiles the templates.
    waited, worked = [], []
    for _ in range(ASKED):
        begun, used = time.perf_counter(), time.process_time()
        answer = browser.get(url)
        waited.append((time.perf_counter() - begun) * 1000)
        worked.append((time.process_time() - used) * 1000)
    sys.stdout.write(
        f"{ITEMS} items, {len(answer.content) // 1024} kB: median {statistics.median(waited):.0f} "
        f"ms, slowest {max(waited):.0f} ms, processor {statistics.median(worked):.0f} ms\n"
    )


def _fill() -> tuple[object, str]:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from projects.models import Project, Sprint, Stakeholder, WorkItem

    user = User.objects.create_user("lena")
    project = Project.objects.create(slug="board", name="Board", created_by=user)
    today = timezone.now().date()
    Stakeholder.objects.create(project=project, user=user, role="lead", valid_from=today)
    sprint = Sprint.objects.create(
        project=project, name="One", kind="build", goal="Measure", status="active",
        starts_on=today, ends_on=today, created_by=user,
    )  # fmt: skip
    WorkItem.objects.bulk_create(
        WorkItem(
            project=project, sprint=sprint, kind="task", title=f"Item {n}", rank=n, points=n % 8,
            status=("todo", "doing", "review", "done")[n % 4], assignee=user, created_by=user,
        )
        for n in range(ITEMS)
    )  # fmt: skip
    return user, f"/sprints/{sprint.pk}/board/"


if __name__ == "__main__":
    main()
