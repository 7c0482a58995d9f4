"""The doors as a person or a program uses them: REST with a browser's session or with a token."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests

from config.demo.stage import ActFailed, Refusal

TIMEOUT = 60
JOB_SECONDS = 180


@dataclass
class Visitor:
    """One person at one door; every verb raises on a refusal, only `attempt` returns it."""

    base_url: str
    username: str
    password: str = ""
    http: requests.Session = field(default_factory=requests.Session)

    def log_in(self) -> "Visitor":
        """Sign in as a browser does, through the admin's login page."""
        page = f"{self.base_url}/admin/login/"
        self.http.get(page, timeout=TIMEOUT)
        answer = self.http.post(
            page,
            data={
                "username": self.username,
                "password": self.password,
                "csrfmiddlewaretoken": self.http.cookies["csrftoken"],
                "next": "/admin/",
            },
            headers={"Referer": page},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        if answer.status_code != HTTPStatus.FOUND:
            raise ActFailed(f"{self.username} could not sign in ({answer.status_code}).")
        return self

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call a door with the session's cookies and its CSRF token."""
        headers = {"Referer": f"{self.base_url}/", **options.pop("headers", {})}
        if token := self.http.cookies.get("csrftoken"):
            headers["X-CSRFToken"] = token
        return self.http.request(
            method, f"{self.base_url}{path}", headers=headers, timeout=TIMEOUT, **options
        )

    def get(self, path: str, **params: Any) -> Any:
        return _body(self.request("GET", path, params=params))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return _body(self.request("POST", path, json=body or {}))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return _body(self.request("PATCH", path, json=body))

    def upload(self, path: str, data: Mapping[str, Any], files: Mapping[str, Any]) -> Any:
        return _body(self.request("POST", path, data=data, files=files))

    def attempt(self, path: str, body: Mapping[str, Any] | None = None) -> Refusal | None:
        """Post and return the refusal, or None if the door let it through."""
        return refusal_of(self.request("POST", path, json=body or {}))

    def wait_for_job(self, job_id: int, report: Callable[[int, str], None]) -> Any:
        """Wait until background work has ended, passing its progress on."""
        deadline = time.monotonic() + JOB_SECONDS
        while time.monotonic() < deadline:
            job = self.get(f"/api/v1/jobs/{job_id}/")
            report(job["progress"], job["message"])
            if job["status"] == "done":
                report(100, "")
                return job
            if job["status"] in {"failed", "cancelled"}:
                raise ActFailed(f"Job {job_id} {job['status']}: {job['message']}")
            time.sleep(0.3)
        raise ActFailed(f"Job {job_id} did not end in {JOB_SECONDS} seconds.")


def refusal_of(answer: requests.Response) -> Refusal | None:
    """Return what a problem document says, or None for a success."""
    if answer.ok:
        return None
    try:
        body = answer.json()
    except ValueError:
        body = {}
    return Refusal(
        code=str(body.get("code", answer.status_code)),
        message=str(body.get("detail") or body.get("title") or answer.text[:300]),
        reasons=tuple(str(reason) for reason in body.get("reasons", ())),
        status=answer.status_code,
    )


def _body(answer: requests.Response) -> Any:
    if refusal := refusal_of(answer):
        reasons = "".join(f"\n  - {reason}" for reason in refusal.reasons)
        place = f"{answer.request.method} {answer.request.path_url}"
        detail = "" if refusal.reasons else f"\n  {answer.text[:600]}"
        raise ActFailed(
            f"{place} answered {answer.status_code} {refusal.code}: {refusal.message}"
            f"{reasons}{detail}"
        )
    if answer.status_code == HTTPStatus.NO_CONTENT:
        return None
    return answer.json()
