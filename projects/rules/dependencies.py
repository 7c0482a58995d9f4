"""Which item waits for which: a graph without cycles."""

from collections.abc import Iterable
from typing import TypeVar

Node = TypeVar("Node", int, str)


def would_close_a_cycle(edges: Iterable[tuple[Node, Node]], item: Node, needed: Node) -> bool:
    """Tell whether `item` waiting for `needed` lets something wait for itself.

    An edge `(a, b)` says that a waits for b.
    """
    waits_for: dict[Node, list[Node]] = {}
    for waiting, awaited in edges:
        waits_for.setdefault(waiting, []).append(awaited)
    seen: set[Node] = set()
    ahead = [needed]
    while ahead:
        here = ahead.pop()
        if here == item:
            return True
        if here not in seen:
            seen.add(here)
            ahead.extend(waits_for.get(here, ()))
    return False
