"""Many append at once: no gap, no fork, nobody lost; and the proof that the lock does it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.errors import BrokenHead
from ledger.models import Checkpoint, LedgerEntry, LedgerHead
from ledger.services import append, checkpoints, verify
from tests.ledger.conftest import SOMEONE, record

THREADS = 8
EACH = 12

pytestmark = pytest.mark.race


def in_threads(count, work):
    """Run `work(number)` in threads that start together; return results or errors."""
    start = threading.Barrier(count, timeout=20)

    def run(number):
        try:
            start.wait()
            return work(number)
        except (DatabaseError, BrokenHead) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_eight_threads_append_without_gap_or_fork(racing_db):
    def work(number):
        for step in range(EACH):
            record("thing.signed" if step == EACH // 2 else "thing.made", thread=number, step=step)

    assert in_threads(THREADS, work) == [None] * THREADS
    assert list(LedgerEntry.objects.values_list("seq", flat=True)) == [
        *range(1, THREADS * EACH + 1)
    ]
    assert Checkpoint.objects.count() == THREADS
    report = verify()
    assert report.problems == ()
    assert report.anchored == THREADS
    for number in range(THREADS):
        mine = [e.data["step"] for e in LedgerEntry.objects.all() if e.data["thread"] == number]
        assert mine == list(range(EACH))


def test_readers_verify_while_others_append(racing_db):
    record("thing.signed")

    def work(number):
        if number:
            for step in range(EACH):
                record("thing.signed", step=step)
            return []
        return [problem for _ in range(5) for problem in verify().problems]

    assert in_threads(4, work) == [[]] * 4
    assert verify().ok


def test_without_the_lock_two_threads_read_the_same_head(racing_db, monkeypatch):
    """The negative control: the same work, unlocked, does collide, and still makes no fork."""
    record()
    both_have_read = threading.Barrier(2, timeout=10)

    def read_without_lock():
        head = LedgerHead.objects.get(pk=1)
        both_have_read.wait()
        return head

    monkeypatch.setattr(checkpoints, "lock_head", read_without_lock)

    def work(number):
        # SQLite's own default; IMMEDIATE would take the write lock at BEGIN.
        connection.ensure_connection()
        connection.transaction_mode = None
        with transaction.atomic():
            return append("thing.made", subject=f"thing:{number}", actor=SOMEONE).seq

    results = in_threads(2, work)
    assert [result for result in results if isinstance(result, int)] == [2]
    assert len([result for result in results if isinstance(result, Exception)]) == 1
    assert LedgerEntry.objects.count() == 2
    assert verify().ok
