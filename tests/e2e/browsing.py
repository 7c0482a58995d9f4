"""A person's browser window, and what is measured on the page that it shows."""

from dataclasses import dataclass, field
from typing import Any

# Runs before any script of a page; injected by the debugger, so the content policy does not apply.
WATCH = """
window.blocked = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.blocked.push(`${event.effectiveDirective} blocked ${event.blockedURI}`);
});
"""

# What must not scroll sideways; tables, code and the board's columns may, within their own box.
SIDEWAYS = """() => ["html", "body", "#container", "#main", ".main > .content", "#content"]
  .flatMap((selector) => [...document.querySelectorAll(selector)].map((box) => [selector, box]))
  .filter(([, box]) => box.scrollWidth > box.clientWidth + 1)
  .map(([selector, box]) => `${selector} is ${box.scrollWidth} px wide in ${box.clientWidth} px`)
"""

OUTSIDE = """() => {
  const clips = (box) => getComputedStyle(box).overflowX !== "visible";
  const isHeld = (box) => {
    for (let up = box.parentElement; up && up !== document.body; up = up.parentElement) {
      if (clips(up)) return true;
    }
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter((box) => box.getBoundingClientRect().right > innerWidth + 1 && !isHeld(box))
    .map((box) => `${box.tagName} .${box.className} ends at ` +
      Math.round(box.getBoundingClientRect().right));
}"""

CONTROLS = {
    "button", "checkbox", "combobox", "listbox", "radio", "searchbox", "slider", "spinbutton",
    "switch", "textbox", "Date", "DateTime", "InputTime", "ColorWell",
}  # fmt: skip


@dataclass
class Window:
    """One page in a context of its own, with everything it complained about."""

    page: Any
    base_url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)

    def open(self, path: str) -> None:
        """Go to a page of the service and wait until nothing loads any more."""
        answer = self.page.goto(f"{self.base_url}{path}", wait_until="load")
        assert answer.ok, f"{path} answered {answer.status}"

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _failed(self, request: Any) -> None:
        # A page that is left gives up what it was still loading.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.url}: {request.failure}")

    def troubles(self) -> list[str]:
        """Return what the console and the content policy said about the page shown."""
        return [*self.complaints, *self.page.evaluate("window.blocked")]

    def overflows(self) -> list[str]:
        """Return what sticks out of the window to the right."""
        return [*self.page.evaluate(SIDEWAYS), *self.page.evaluate(OUTSIDE)]

    def controls(self) -> list[tuple[str, str]]:
        """Return role and accessible name of every form control, as Chromium computes them."""
        self.page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
        session = self.page.context.new_cdp_session(self.page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        session.detach()
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"] and node["role"]["value"] in CONTROLS
        ]

    def press_until(self, key: str, name: str, *, most: int = 80) -> None:
        """Press a key until the control with this accessible name has the focus."""
        for _ in range(most):
            self.page.keyboard.press(key)
            if self.page.evaluate("document.activeElement.getAttribute('aria-label')") == name:
                return
        raise AssertionError(f"{most} times {key} did not reach {name!r}")
