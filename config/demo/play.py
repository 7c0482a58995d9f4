"""What the chapters share: the stage, the cast, and the acts that come more than once."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from config.demo.cast import Cast
from config.demo.stage import ActFailed, Refusal, Stage

T = TypeVar("T")


@dataclass
class Play:
    """The running story."""

    stage: Stage
    cast: Cast
    base_url: str
    home: Path
    project_id: int = 0
    #: The approach that did best on the validation months; the test months do not choose.
    winner: str = ""
    memory: dict[str, Any] = field(default_factory=dict)

    def expect(self, condition: object, sentence: str) -> None:
        """End the story with `sentence` unless the condition holds."""
        if not condition:
            raise ActFailed(sentence)

    def request_review(self, who: str, gate: str, kind: str, subject_id: int) -> Any:
        """Ask for a passage through a gate."""
        return self.cast[who].post(
            "/api/v1/gate-reviews/",
            {
                "gate": gate,
                "project": self.project_id,
                "subject_kind": kind,
                "subject_ref": f"{kind}:{subject_id}",
            },
        )

    def sign(self, who: str, review: Any, role: str, reason: str) -> Any:
        """Sign as a person does, with the password, and return the review afterwards."""
        self.cast[who].post(*self.signature(who, review, role, reason))
        return self.cast[who].get(f"/api/v1/gate-reviews/{review['id']}/")

    def refuse_signature(self, title: str, who: str, review: Any, role: str) -> Refusal:
        """Try to sign and show why it is refused."""
        place, body = self.signature(who, review, role, "Looks fine to me.")
        return self.stage.refused(
            title, lambda: self.cast[who].attempt(place, body), code="separation_of_duties"
        )

    def signature(
        self, who: str, review: Any, role: str, reason: str
    ) -> tuple[str, dict[str, Any]]:
        """Return where to sign and with what, as read from what is shown before signing."""
        place = f"/api/v1/gate-reviews/{review['id']}"
        shown = self.cast[who].get(f"{place}/signing-statement/?role={role}&outcome=approved")
        return f"{place}/sign/", {
            "role": role,
            "outcome": "approved",
            "meaning": "I have reviewed the evidence and approve.",
            "reason": reason,
            "password": self.cast.password(who),
            "bindings_digest": shown["bindings_digest"],
            "page_token": shown["page_token"],
        }

    def unmet(self, review: Any) -> str:
        """Say how many requirements pass."""
        results = review["requirements"]
        passed = sum(result["outcome"] in {"pass", "waived"} for result in results)
        return f"{passed} of {len(results)} requirements pass"

    def readiness(self, scope_id: int) -> str:
        """Say what a scoping document scores, what blocks it and which way it leans."""
        found = self.cast["lena"].get(f"/api/v1/scoping-documents/{scope_id}/readiness/")
        return (
            f"readiness {found['score']:.0f} of 100 (needs {found['threshold']:.0f}), "
            f"{len(found['blockers'])} blockers, "
            f"under-scoped {found['under_scoped']['score']:.0f}, "
            f"over-scoped {found['over_scoped']['score']:.0f}"
        )

    def wait_for(self, what: str, probe: Callable[[], T | None], seconds: float = 60) -> T:
        """Return the probe's first answer that is not None."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (answer := probe()) is not None:
                return answer
            time.sleep(0.3)
        raise ActFailed(f"Waited {seconds:.0f} s in vain for {what}.")
