"""RFC 6962 trees: published vectors, and a second implementation straight from the definitions."""

import hashlib
from itertools import pairwise

import pytest

from ledger.rules import merkle

# The inputs and roots that Certificate Transparency implementations test themselves with.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATH_OF_FIRST_IN_EIGHT = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
LARGEST = 64
SIZES = range(1, LARGEST + 1)
LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(LARGEST)]


# The definitions of RFC 9162 section 2.1, word for word and without any saving.


def naive_root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = naive_split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def naive_path(m, leaves):
    n = len(leaves)
    if n == 1:
        return []
    k = naive_split(n)
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m, leaves, b):
    n = len(leaves)
    if m == n:
        return [] if b else [naive_root(leaves)]
    k = naive_split(n)
    if m <= k:
        return [*naive_subproof(m, leaves[:k], b), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


NAIVE_ROOTS = [naive_root(LEAVES[:size]) for size in range(LARGEST + 1)]


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS)))
def test_published_roots(size, root):
    leaves = [merkle.leaf_hash(data) for data in INPUTS[:size]]
    assert merkle.root_of(leaves).hex() == root


def test_published_inclusion_path():
    leaves = [merkle.leaf_hash(data) for data in INPUTS]
    assert [node.hex() for node in merkle.inclusion_proof(0, leaves)] == PATH_OF_FIRST_IN_EIGHT


def test_leaves_and_nodes_cannot_be_taken_for_each_other():
    left, right = LEAVES[:2]
    assert merkle.node_hash(left, right) != merkle.leaf_hash(left + right)


def test_compact_range_has_one_node_for_each_one_bit_and_gives_the_root():
    nodes: list[bytes] = []
    for size, leaf in enumerate(LEAVES):
        assert len(nodes) == size.bit_count()
        assert merkle.root(nodes) == NAIVE_ROOTS[size]
        nodes = merkle.append(size, nodes, leaf)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_of_every_leaf(size):
    leaves, root = LEAVES[:size], NAIVE_ROOTS[size]
    for index, leaf in enumerate(leaves):
        proof = merkle.inclusion_proof(index, leaves)
        assert proof == naive_path(index, leaves)
        assert merkle.verify_inclusion(leaf, index, size, proof, root)
        for wrong in damaged(proof):
            assert not merkle.verify_inclusion(leaf, index, size, wrong, root)
        for other in {index - 1, index + 1, size}:
            assert not merkle.verify_inclusion(leaf, other, size, proof, root)
        assert not merkle.verify_inclusion(LEAVES[-1 - index], index, size, proof, root) or (
            LEAVES[-1 - index] == leaf
        )


@pytest.mark.parametrize("size", SIZES)
def test_consistency_proofs_with_every_earlier_tree(size):
    leaves, root = LEAVES[:size], NAIVE_ROOTS[size]
    for old in range(1, size + 1):
        proof = merkle.consistency_proof(old, leaves)
        assert proof == naive_subproof(old, leaves, True)
        assert merkle.verify_consistency(old, size, proof, NAIVE_ROOTS[old], root)
        for wrong in damaged(proof):
            assert not merkle.verify_consistency(old, size, wrong, NAIVE_ROOTS[old], root)
        assert not merkle.verify_consistency(old, size, proof, NAIVE_ROOTS[old - 1], root)


def damaged(proof):
    """Yield proofs with one more, one fewer, one flipped or two exchanged hashes."""
    yield [*proof, bytes(32)]
    if proof:
        yield proof[:-1]
        yield proof[1:]
    for n, node in enumerate(proof):
        yield [*proof[:n], bytes([node[0] ^ 1]) + node[1:], *proof[n + 1 :]]
    for n, (one, two) in enumerate(pairwise(proof)):
        yield [*proof[:n], two, one, *proof[n + 2 :]]


@pytest.mark.slow
def test_every_flipped_bit_of_a_proof_is_rejected():
    leaves, root = LEAVES[:53], NAIVE_ROOTS[53]
    proof = merkle.inclusion_proof(21, leaves)
    for n, node in enumerate(proof):
        for bit in range(256):
            flipped = (int.from_bytes(node, "big") ^ (1 << bit)).to_bytes(32, "big")
            wrong = [*proof[:n], flipped, *proof[n + 1 :]]
            assert not merkle.verify_inclusion(leaves[21], 21, 53, wrong, root)


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_for_a_leaf_outside(index):
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion_proof(index, LEAVES[:3])
    assert not merkle.verify_inclusion(LEAVES[0], index, 3, [], NAIVE_ROOTS[3])


@pytest.mark.parametrize("old", [0, 4])
def test_there_is_no_proof_for_a_tree_that_is_not_earlier(old):
    with pytest.raises(ValueError, match="no tree of"):
        merkle.consistency_proof(old, LEAVES[:3])
    assert not merkle.verify_consistency(old, 3, [], NAIVE_ROOTS[old], NAIVE_ROOTS[3])
