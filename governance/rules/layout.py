"""Where the nodes of a small directed graph stand when it is drawn in layers."""

import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Edge = tuple[Hashable, Hashable]

#: Sweeps of the barycentre heuristic; small graphs settle after two or three.
SWEEPS = 8


@dataclass(frozen=True)
class Spot:
    """A layer and a position in it, both counted from 0."""

    layer: int
    position: int


@dataclass(frozen=True)
class Layout:
    """Where each node stands, and the spots in between that each edge passes."""

    spots: Mapping[Hashable, Spot]
    routes: Mapping[Edge, Sequence[Spot]]
    sizes: Sequence[int]


@dataclass
class _Graph:
    after: dict[Hashable, list[Hashable]] = field(default_factory=dict)
    before: dict[Hashable, list[Hashable]] = field(default_factory=dict)

    def join(self, source: Hashable, target: Hashable) -> None:
        self.after.setdefault(source, []).append(target)
        self.before.setdefault(target, []).append(source)


@dataclass(frozen=True)
class _Bend:
    """A place held free in a layer for an edge that crosses it."""

    edge: Edge
    layer: int


def layered(keys: Sequence[Hashable], edges: Iterable[Edge]) -> Layout:
    """Lay a graph out so that edges lead to later layers and cross little.

    A node stands one layer after the last of its predecessors; an edge that closes a cycle is left
    out of the ranking. The answer depends on the order of `keys` and of `edges`, on nothing else.
    """
    known = list(dict.fromkeys(keys))
    wanted = list(dict.fromkeys(edge for edge in edges if edge[0] != edge[1]))
    wanted = [edge for edge in wanted if edge[0] in known and edge[1] in known]
    rank = _ranks(known, _without_cycles(known, wanted))
    layers: list[list[Hashable]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for key in known:
        layers[rank[key]].append(key)
    bends = _bend(wanted, rank, layers)
    _untangle(layers, _chains(wanted, bends))
    spots = {
        key: Spot(layer, position)
        for layer, row in enumerate(layers)
        for position, key in enumerate(row)
    }
    return Layout(
        spots={key: spots[key] for key in known},
        routes={edge: [spots[bend] for bend in bends[edge]] for edge in wanted},
        sizes=[len(row) for row in layers],
    )


def _without_cycles(keys: Sequence[Hashable], edges: Sequence[Edge]) -> list[Edge]:
    """Return the edges that a depth-first walk does not find to lead back into its own path."""
    graph = _Graph()
    for source, target in edges:
        graph.join(source, target)
    forward: list[Edge] = []
    done: set[Hashable] = set()
    for root in keys:
        if root not in done:
            _walk(root, graph, done, forward)
    return forward


def _walk(root: Hashable, graph: _Graph, done: set[Hashable], forward: list[Edge]) -> None:
    # An explicit stack: a long chain of versions must not hit the recursion limit.
    path = {root}
    stack = [(root, iter(graph.after.get(root, [])))]
    while stack:
        node, remaining = stack[-1]
        target = next(remaining, None)
        if target is None:
            stack.pop()
            path.discard(node)
            done.add(node)
        elif target not in path:
            forward.append((node, target))
            if target not in done:
                path.add(target)
                stack.append((target, iter(graph.after.get(target, []))))


def _ranks(keys: Sequence[Hashable], edges: Sequence[Edge]) -> dict[Hashable, int]:
    """Return every node's longest way from a source."""
    graph = _Graph()
    for source, target in edges:
        graph.join(source, target)
    waiting = {key: len(graph.before.get(key, [])) for key in keys}
    rank = dict.fromkeys(keys, 0)
    ready = [key for key in keys if not waiting[key]]
    while ready:
        key = ready.pop()
        for target in graph.after.get(key, []):
            rank[target] = max(rank[target], rank[key] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return rank


def _bend(
    edges: Sequence[Edge], rank: Mapping[Hashable, int], layers: list[list[Hashable]]
) -> dict[Edge, list[_Bend]]:
    """Hold a place free for every edge in every layer that it crosses."""
    bends: dict[Edge, list[_Bend]] = {}
    for edge in edges:
        first, last = rank[edge[0]], rank[edge[1]]
        step = 1 if last >= first else -1
        bends[edge] = [_Bend(edge, layer) for layer in range(first + step, last, step)]
        for bend in bends[edge]:
            layers[bend.layer].append(bend)
    return bends


def _chains(edges: Sequence[Edge], bends: Mapping[Edge, Sequence[_Bend]]) -> _Graph:
    """Return the graph in which every edge leads to a neighbouring layer."""
    graph = _Graph()
    for edge in edges:
        stops = [edge[0], *bends[edge], edge[1]]
        for source, target in itertools.pairwise(stops):
            graph.join(source, target)
    return graph


def _untangle(layers: list[list[Hashable]], graph: _Graph) -> None:
    """Order each layer by the mean place of its neighbours, down and up in turn."""
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = graph.before if downwards else graph.after
        for row in layers if downwards else reversed(layers):
            at = {
                key: (position + 0.5) / len(other)
                for other in layers
                for position, key in enumerate(other)
            }
            row.sort(key=lambda key: _barycentre(key, neighbours, at))


def _barycentre(
    key: Hashable, neighbours: Mapping[Hashable, list[Hashable]], at: Mapping[Hashable, float]
) -> float:
    near = neighbours.get(key, [])
    return sum(at[other] for other in near) / len(near) if near else at[key]
