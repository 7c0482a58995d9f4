"""The digest of a tree moves with every name, size and byte, and with nothing else."""

import shutil

import pytest

from pipeline.gateway.digest import tree_digest


@pytest.fixture
def tree(tmp_path):
    directory = tmp_path / "model"
    (directory / "data").mkdir(parents=True)
    (directory / "MLmodel").write_text("flavors: {}")
    (directory / "data" / "model.skops").write_bytes(b"bytes")
    return directory


def test_a_copy_has_the_same_digest(tree, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    (copy / "registered_model_meta").write_text("written by MLflow on download")
    assert tree_digest(copy) == tree_digest(tree)


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "MLmodel").write_text("flavors: {x: 1}"),
        lambda tree: (tree / "data" / "model.skops").write_bytes(b"bytez"),
        lambda tree: (tree / "MLmodel").rename(tree / "mlmodel"),
        lambda tree: (tree / "data" / "model.skops").rename(tree / "model.skops"),
        lambda tree: (tree / "extra.py").write_text(""),
        lambda tree: (tree / "MLmodel").unlink(),
    ],
)
def test_every_change_moves_it(tree, change):
    before = tree_digest(tree)
    change(tree)
    assert tree_digest(tree) != before


def test_the_recipe_is_the_published_one(tree):
    import hashlib

    expected = hashlib.sha256(b"countersign-tree-v1\0")
    for name, data in (("MLmodel", b"flavors: {}"), ("data/model.skops", b"bytes")):
        expected.update(f"{name}\0{len(data)}\0{hashlib.sha256(data).hexdigest()}".encode())
    assert tree_digest(tree) == expected.hexdigest()


def test_no_files_have_no_digest(tmp_path):
    with pytest.raises(FileNotFoundError):
        tree_digest(tmp_path)
