"""Layers of a drawing: no edge leads up, long edges bend beside boxes, the answer is stable."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from governance.rules.layout import layered

keys = st.integers(0, 12)
edges_of = st.lists(st.tuples(keys, keys), max_size=30)


def test_nothing_is_laid_out_as_nothing():
    layout = layered([], [])
    assert (layout.spots, layout.routes, layout.sizes) == ({}, {}, [])


def test_a_node_stands_below_the_last_of_its_causes():
    layout = layered("abcd", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    assert [layout.spots[key].layer for key in "abcd"] == [0, 1, 2, 3]
    assert [spot.layer for spot in layout.routes["a", "c"]] == [1]


def test_crossings_are_undone_where_that_is_easy():
    layout = layered("abxy", [("a", "y"), ("b", "x")])
    left_to_right = sorted("ab", key=lambda key: layout.spots[key].position)
    assert left_to_right == ["a", "b"]
    assert layout.spots["y"].position < layout.spots["x"].position


def test_cycles_and_loops_are_drawn_all_the_same():
    layout = layered("abc", [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    assert len(layout.spots) == 3
    assert ("c", "a") in layout.routes
    assert ("a", "a") not in layout.routes


def test_edges_to_unknown_nodes_are_left_out():
    assert layered("a", [("a", "z"), ("z", "a")]).routes == {}


@given(edges_of)
def test_every_node_has_one_spot_and_every_edge_steps_by_one_layer(edges):
    layout = layered(range(13), edges)
    bends = [spot for route in layout.routes.values() for spot in route]
    taken = [*layout.spots.values(), *bends]
    assert len(set(taken)) == len(taken)
    assert sum(layout.sizes) == len(taken)
    for (source, target), route in layout.routes.items():
        stops = [layout.spots[source], *route, layout.spots[target]]
        assert all(abs(one.layer - two.layer) <= 1 for one, two in pairwise(stops))
    assert layered(range(13), edges) == layout


@given(edges_of)
def test_without_cycles_every_edge_leads_down(edges):
    forward = [(low, high) for low, high in edges if low < high]
    layout = layered(range(13), forward)
    for source, target in layout.routes:
        assert layout.spots[source].layer < layout.spots[target].layer
