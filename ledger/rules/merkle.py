"""Merkle trees of RFC 6962: hashes, roots from a compact range, proofs and their verification.

A compact range is the list of roots of the perfect subtrees that make up a tree of some size,
largest first: one hash for every 1 bit of the size.
"""

import hashlib
from collections.abc import Iterable, Sequence

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash one entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(size: int, compact_range: Sequence[bytes], leaf: bytes) -> list[bytes]:
    """Return the compact range of `size + 1` leaves."""
    nodes = [*compact_range, leaf]
    while size & 1:
        right = nodes.pop()
        nodes[-1] = node_hash(nodes[-1], right)
        size >>= 1
    return nodes


def root(compact_range: Sequence[bytes]) -> bytes:
    """Return the root of the tree that a compact range stands for."""
    if not compact_range:
        return EMPTY_ROOT
    result = compact_range[-1]
    for left in reversed(compact_range[:-1]):
        result = node_hash(left, result)
    return result


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes, in one pass and with memory for one branch."""
    nodes: list[bytes] = []
    for size, leaf in enumerate(leaves):
        nodes = append(size, nodes, leaf)
    return root(nodes)


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the hashes that lead from leaf `index` to the root, lowest first."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"leaf {index} is not in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(index, leaves[:split]), root_of(leaves[split:])]
    return [*inclusion_proof(index - split, leaves[split:]), root_of(leaves[:split])]


def consistency_proof(old_size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the hashes that show the first `old_size` leaves to be unchanged."""
    if not 0 < old_size <= len(leaves):
        raise ValueError(f"no tree of {old_size} inside a tree of {len(leaves)}")
    return _subproof(old_size, leaves, complete=True)


def _subproof(old_size: int, leaves: Sequence[bytes], *, complete: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if complete else [root_of(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        inner = _subproof(old_size, leaves[:split], complete=complete)
        return [*inner, root_of(leaves[split:])]
    inner = _subproof(old_size - split, leaves[split:], complete=False)
    return [*inner, root_of(leaves[:split])]


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> bool:
    """Tell whether `leaf` stands at `index` in the tree of `size` with that root."""
    if not 0 <= index < size:
        return False
    path = _path(index, size - 1, len(proof))
    if path is None:
        return False
    result = leaf
    for sibling, is_left in zip(proof, path, strict=True):
        result = node_hash(sibling, result) if is_left else node_hash(result, sibling)
    return result == expected_root


def verify_consistency(
    old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, expected_root: bytes
) -> bool:
    """Tell whether the tree with `old_root` is the beginning of the one with `expected_root`."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == expected_root
    # A perfect old tree is a node of the new one, so the proof leaves it out.
    is_perfect = old_size & (old_size - 1) == 0
    start, *siblings = [old_root, *proof] if is_perfect else [*proof] or [b""]
    height = (old_size & -old_size).bit_length() - 1
    path = _path((old_size - 1) >> height, (size - 1) >> height, len(siblings))
    if path is None:
        return False
    old_result = new_result = start
    for sibling, is_left in zip(siblings, path, strict=True):
        if is_left:
            old_result = node_hash(sibling, old_result)
        new_result = node_hash(sibling, new_result) if is_left else node_hash(new_result, sibling)
    return (old_result, new_result) == (old_root, expected_root)


def _path(index: int, last: int, steps: int) -> list[bool] | None:
    """Return for each step up to the root whether the sibling is on the left.

    None means that the way from node `index` to the root, where `last` is the last node of the
    same height, does not have that many steps.
    """
    path: list[bool] = []
    while last and len(path) < steps:
        # The last node of a level has no right sibling: it rises until it is a right child.
        while index == last and not index & 1:
            index, last = index >> 1, last >> 1
        if last == 0:
            break
        path.append(bool(index & 1))
        index, last = index >> 1, last >> 1
    while last and index == last and not index & 1:
        index, last = index >> 1, last >> 1
    return path if last == 0 and len(path) == steps else None
