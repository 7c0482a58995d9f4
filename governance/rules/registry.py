"""Named checks: what a requirement of a policy refers to, each with its parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from governance.rules.checks import CheckContext, CheckOutcome
from governance.rules.params import Needs, Param, problems_of

Params = Mapping[str, Any]
Run = Callable[[Params, CheckContext], CheckOutcome | Sequence[CheckOutcome]]


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check: `run` is pure, values in and an outcome out; `version` changes when it does.

    `package` names the distribution that brought it, filled in where checks are gathered.
    """

    name: str
    run: Run
    params: Mapping[str, Param] = field(default_factory=dict)
    needs: Needs = ()
    version: str = "1"
    package: str = ""

    @property
    def full_version(self) -> str:
        """Return what a result is filed under, such as `countersign-ml 0.1.0, check 1`."""
        return ", ".join(part for part in (self.package, f"check {self.version}") if part)

    def problems(self, params: Params) -> list[tuple[str, str]]:
        """Return what is wrong with parameters: pairs of the parameter and the problem."""
        return problems_of(params, self.params, self.needs)


#: The checks that come with this package, in the order of the modules that hold them.
BUILT_IN: dict[str, NamedCheck] = {}


def check(
    name: str, *, needs: Needs = (), version: str = "1", **params: Param
) -> Callable[[Run], Run]:
    """Register the decorated function as the built-in check `name`."""

    def register(run: Run) -> Run:
        BUILT_IN[name] = NamedCheck(name, run, params, needs, version)
        return run

    return register
