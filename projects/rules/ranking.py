"""Where a row goes between two others: fractional ranks, dealt out anew when they run out."""

from collections.abc import Sequence

#: Distance between neighbours after a new deal: some fifty halvings of room.
STEP = 1024.0


def rank_between(above: float | None, below: float | None) -> float | None:
    """Return a rank strictly between two neighbours, where None is the open end.

    The answer is None when no number lies between them any more, or they are out of order: then
    all ranks have to be dealt out anew.
    """
    if above is None and below is None:
        return 0.0
    if above is None:
        return _apart(float(below or 0.0) - STEP, None, below)
    if below is None:
        return _apart(above + STEP, above, None)
    return _apart(above + (below - above) / 2, above, below)


def dealt(count: int) -> list[float]:
    """Return ranks for `count` rows in order, far enough apart for many insertions."""
    return [STEP * (place + 1) for place in range(count)]


def place_of(order: Sequence[int], *, before: int | None, after: int | None) -> int:
    """Return the index at which a row goes in `order`, which does not hold it.

    Raises:
        ValueError: the neighbour is not in `order`.
    """
    if before is not None:
        return list(order).index(before)
    if after is not None:
        return list(order).index(after) + 1
    return len(order)


def _apart(rank: float, above: float | None, below: float | None) -> float | None:
    is_between = (above is None or above < rank) and (below is None or rank < below)
    return rank if is_between else None
