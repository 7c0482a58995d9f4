"""The commit that a run names, and what it says of a tree that differs from it."""

import shutil
import subprocess

import pytest

from pipeline.adapters import source_control
from pipeline.adapters.source_control import (
    COMMIT,
    COMMITTERS,
    DIFF,
    DIRTY,
    committer_tags,
    source_tags,
)


@pytest.fixture
def checkout(tmp_path):
    program = shutil.which("git")
    if program is None:
        pytest.skip("git is not installed")

    def git(*arguments):
        who = ["-c", "user.name=Sam", "-c", "user.email=sam@example.org"]
        subprocess.run([program, "-C", str(tmp_path), *who, *arguments], check=True)

    git("init", "--quiet")
    (tmp_path / "train.py").write_text("fit()\n")
    git("add", "train.py")
    git("commit", "--quiet", "-m", "train: Fit.")
    return tmp_path


def test_a_clean_tree_names_its_commit(checkout):
    tags = source_tags(checkout)
    assert len(tags[COMMIT]) == 40
    assert tags[DIRTY] == "false"
    assert DIFF not in tags


def test_a_dirty_tree_says_so_and_which_difference_it_had(checkout):
    clean = source_tags(checkout)
    (checkout / "train.py").write_text("fit(seed=1)\n")
    one = source_tags(checkout)
    (checkout / "train.py").write_text("fit(seed=2)\n")
    two = source_tags(checkout)
    assert (one[COMMIT], one[DIRTY]) == (clean[COMMIT], "true")
    assert one[DIFF] != two[DIFF]


def test_outside_a_checkout_nothing_is_said(tmp_path):
    assert source_tags(tmp_path) == {}


def test_without_git_nothing_is_said(checkout, monkeypatch):
    monkeypatch.setattr(source_control.shutil, "which", lambda name: None)
    assert source_tags(checkout) == {}


def test_who_wrote_and_who_committed_are_named_once(checkout, tmp_path):
    assert committer_tags(checkout) == {COMMITTERS: "sam@example.org"}


def test_outside_a_checkout_nobody_committed(tmp_path):
    assert committer_tags(tmp_path) == {}
