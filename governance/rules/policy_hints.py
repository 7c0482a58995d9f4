"""What to do about a problem in a policy's text."""

import difflib

from governance.rules.policy import Problem

_REST: tuple[tuple[str, str], ...] = (
    ("is missing", "Add the key with its value."),
    ("appears twice", "Keep one of the two."),
    ("twice", "Keep one of the two."),
    ("must be a mapping", "Write keys with values below it, each indented by two spaces."),
    ("must be a list", "Write a list: [a, b], or one `- item` a line."),
    ("must be true or false", "Write true or false, without quotes."),
    ("must be a text", "Write some words; put quotes around what YAML would read otherwise."),
    ("there is no", "Name one that this policy defines, or define it."),
    ("requester_not_approver", "Add requester_not_approver to the list."),
    ("blocking requirement", "Let a requirement block at that tier, or add one."),
)
_OTHERWISE = "Correct the value; docs/policies.md describes the key."


def hint_for(problem: Problem) -> str:
    """Return what to do about a problem; where a name is meant, the nearest known one."""
    message = problem.message
    for sign, before in (("allowed: ", ""), (" is not one of ", "'")):
        head, found, known = message.partition(sign)
        if found:
            wrong = head.strip(before) if before else str(problem.path[-1])
            return _nearest(wrong, known.split(", "))
    return next((hint for words, hint in _REST if words in message), _OTHERWISE)


def _nearest(wrong: str, known: list[str]) -> str:
    near = difflib.get_close_matches(wrong, known, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return "Take it out, or write one of those that are named."
