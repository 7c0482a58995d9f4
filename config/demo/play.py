"""What the chapters share: the stage, the cast, and the acts that come more than once."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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

    def record(
        self, who: str, kind: str, title: str, data: Mapping[str, Any], *, about: str = ""
    ) -> Any:
        """Put evidence on record about a reference, the story's model version by default."""
        body = self._evidence(kind, title, about)
        return self.cast[who].post("/api/v1/evidence/", {**body, "data": data})

    def record_plot(self, who: str, picture: Any) -> Any:
        """Put a picture of the story's model version on record, with its table of numbers."""
        data = {"description": picture.description, "table": picture.table}
        body = {**self._evidence("plot", picture.title), "data": json.dumps(data)}
        file = {"file": ("plot.svg", picture.svg, "image/svg+xml")}
        return self.cast[who].upload("/api/v1/evidence/", body, file)

    def _evidence(self, kind: str, title: str, about: str = "") -> dict[str, Any]:
        ref = about or f"model_version:{self.memory['version']['id']}"
        return {
            "project": self.project_id,
            "subject_kind": ref.partition(":")[0],
            "subject_ref": ref,
            "kind": kind,
            "title": title,
        }

    def request_promotion(self, environment: str, reason: str) -> Any:
        """Let Mia ask for the version's promotion; return the review that it takes."""
        version = self.memory["version"]
        requested = self.cast["mia"].post(
            "/api/v1/promotions/",
            {
                "project": self.project_id,
                "model_name": version["model"],
                "model_version": version["number"],
                "subject_ref": f"model_version:{version['id']}",
                "environment": environment,
                "reason": reason,
            },
        )
        self.memory[environment] = requested["id"]
        self.memory[f"{environment}_review"] = requested["review"]
        return self.cast["mia"].get(f"/api/v1/gate-reviews/{requested['review']}/")

    def wait_for_alias(self, environment: str, alias: str) -> None:
        """Wait until a worker has applied the promotion, and see the alias in MLflow."""
        version = self.memory["version"]
        with self.stage.act("A worker applies it") as remarks:
            self.wait_for("the promotion to be applied", lambda: self._applied(environment))
            with self.memory["gateway"].client() as client:
                found = client.get_model_version_by_alias(version["model"], alias).version
            remarks.append(f"{alias} is version {found}")
            self.expect(str(found) == str(version["number"]), "The alias points elsewhere.")

    def _applied(self, environment: str) -> Any:
        found = self.cast["mia"].get(f"/api/v1/promotions/{self.memory[environment]}/")
        self.expect(found["status"] != "failed", f"The promotion failed: {found['status_reason']}")
        return found if found["status"] == "applied" else None

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

    def waive(self, who: str, review: Any, key: str, reason: str, instead: str) -> Any:
        """Permit a deviation for a month, as the risk officer does, with the password."""
        until = datetime.now(UTC) + timedelta(days=30)
        return self.cast[who].post(
            "/api/v1/waivers/",
            {
                "review": review["id"],
                "requirement_key": key,
                "reason": reason,
                "compensating_control": instead,
                "role": "risk_officer",
                "expires_at": until.isoformat(),
                "password": self.cast.password(who),
            },
        )

    def waive_commit(self, review: Any) -> None:
        """Let Rita waive the clean commit where the checkout of the demo has none."""
        found = {result["key"]: result for result in review["requirements"]}
        if found["clean_commit"]["outcome"] == "pass":
            return
        with self.stage.act("Rita waives the clean commit") as remarks:
            reason = found["clean_commit"]["message"]
            self.waive("rita", review, "clean_commit", reason, "The difference is on the run.")
            remarks.append(reason)

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
