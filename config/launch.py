"""Start an instance, watch over it, end it: what `up` and `demo` have in common."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from config import instance
from config.instance import Address, InstanceError
from config.supervisor import Child, ChildDied, Sink, Stopped, Supervisor

Say = Callable[[str], object]


@dataclass(frozen=True)
class Plan:
    """What to start, and whether to stay when the task is over."""

    address: Address
    env: dict[str, str]
    prepare: Child
    # Where the children's output goes; None is the terminal, each line with its child's name.
    logs: Path | None = None
    task: Child | None = None
    stay: bool = True


def open_home(stack: ExitStack, home: Path, address: Address) -> None:
    """Check directory and port, and hold the directory for as long as `stack` is open."""
    try:
        instance.require_writable(home)
        stack.enter_context(instance.claimed(home))
        instance.require_free(address)
    except InstanceError as error:
        raise CommandError(str(error)) from error


def launch(plan: Plan, say: Say) -> int:
    """Run the instance to its end and return the exit code of the command.

    Ctrl-C or SIGTERM while it serves is how it ends, so the code is 0 then; in the middle of a
    task it is the shell's code for the signal.
    """
    supervisor = Supervisor(env=plan.env, cwd=settings.BASE_DIR, sink=_sink(plan))
    serving = False
    try:
        with supervisor:
            if code := supervisor.run(plan.prepare):
                return code
            _start_children(supervisor, plan.address)
            if plan.task is not None and (code := supervisor.run(plan.task)):
                return code
            serving = True
            if plan.stay:
                say(f"Countersign answers at {plan.address.url}/ (Ctrl-C ends it).")
                supervisor.watch()
    except Stopped as stop:
        say("Stopped.")
        return 0 if serving else 128 + stop.signum
    except ChildDied as death:
        raise CommandError(_obituary(death, plan.logs)) from death
    return 0


def _sink(plan: Plan) -> Sink:
    return instance.log_files(plan.logs) if plan.logs else instance.prefixed(sys.stdout)


def _obituary(death: ChildDied, logs: Path | None) -> str:
    if logs is None:
        return str(death)
    last_lines = "".join(f"\n  {line}" for line in death.last_lines)
    return f"{death} Its output is in {logs}; it ends with:{last_lines}"


def _start_children(supervisor: Supervisor, address: Address) -> None:
    supervisor.start(instance.web(address))
    # The web process first: jobs and the poller reach MLflow through it.
    if not supervisor.wait_until(
        lambda: instance.is_ready(address), seconds=instance.READY_SECONDS
    ):
        raise CommandError(
            f"The web process did not become ready within {instance.READY_SECONDS:.0f} seconds; "
            f"see what {address.url}/readyz answers."
        )
    for child in instance.background():
        supervisor.start(child)
