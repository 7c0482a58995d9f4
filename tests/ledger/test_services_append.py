"""An entry commits with the change it records, or not at all."""

import hashlib
from decimal import Decimal

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from ledger import anchors
from ledger.errors import OutsideTransaction, UnknownEvent
from ledger.models import Checkpoint, LedgerEntry, LedgerHead, PersonalText
from ledger.rules import canonical, entries
from ledger.services import (
    append,
    checkpoint,
    decimal_text,
    erase_actor_name,
    erase_personal_text,
    remember_personal_text,
    verify,
)
from tests.ledger.conftest import Someone, record

pytestmark = pytest.mark.django_db


def nothing_was_written():
    return not LedgerEntry.objects.exists() and not Checkpoint.objects.exists()


def test_an_entry_says_who_did_what_to_what(someone):
    entry = append("thing.made", subject="thing:1", actor=someone, data={"size": 3, "of": None})
    entry.refresh_from_db()
    document = entry.document
    assert document == {
        "v": 1,
        "t": "ledger.entry",
        "seq": 1,
        "at": entries.timestamp(entry.recorded_at),
        "event": "thing.made",
        "actor": "user:7",
        "actor_name": entries.text_reference(bytes(entry.actor_salt), "Léna Ørsted"),
        "method": "session",
        "subject": "thing:1",
        "data": {"size": 3},
    }
    assert bytes(entry.body) == canonical.encode(document)
    assert (entry.title, entry.data) == ("Thing made", {"size": 3})


def test_hashes_follow_the_specification(filled):
    previous = bytes(32)
    for number, entry in enumerate(filled, 1):
        leaf = hashlib.sha256(b"\x00" + entry.body).digest()
        assert (entry.seq, entry.leaf_hash, entry.previous_hash) == (number, leaf, previous)
        previous = hashlib.sha256(b"\x02" + previous + leaf).digest()
        assert entry.entry_hash == previous


def test_the_name_of_a_person_is_not_in_the_hashed_bytes(someone):
    entry = append("thing.made", subject="thing:1", actor=someone)
    assert "Ørsted".encode() not in entry.body
    assert "\\u00d8" not in bytes(entry.body).decode()


def test_appending_outside_a_transaction_is_refused(racing_db, someone):
    with pytest.raises(OutsideTransaction) as refusal:
        append("thing.made", subject="thing:1", actor=someone)
    assert refusal.value.code == "outside_transaction"
    assert nothing_was_written()


def test_a_name_longer_than_its_column_is_cut_before_it_is_hashed():
    longest = Someone(name="e\u0301" * 300)
    entry = append("thing.made", subject="thing:1", actor=longest)
    assert entry.actor_name == "é" * 200
    assert verify().ok


def test_an_unknown_event_is_refused(someone):
    with pytest.raises(UnknownEvent):
        append("thing.invented", subject="thing:1", actor=someone)
    assert nothing_was_written()


@pytest.mark.parametrize("value", [0.1, b"x", 2**53, {"deep": [1.5]}])
def test_data_without_a_canonical_form_is_refused(someone, value):
    with pytest.raises(canonical.NotCanonical, match=r"\$\.data\.value"):
        append("thing.made", subject="thing:1", actor=someone, data={"value": value})
    assert nothing_was_written()


class Undone(Exception):
    pass


def test_an_entry_goes_with_a_change_that_is_rolled_back(filled, someone):
    def change():
        with transaction.atomic():
            append("thing.signed", subject="thing:1", actor=someone)
            raise Undone

    with pytest.raises(Undone):
        change()
    assert LedgerEntry.objects.count() == LedgerHead.objects.get().size == 7
    assert record().seq == 8
    assert verify().ok


def test_a_refused_insert_leaves_the_head_where_it_was(filled, someone, monkeypatch):
    def refuse(*args, **kwargs):
        raise IntegrityError

    with monkeypatch.context() as patch:
        patch.setattr(LedgerEntry, "save", refuse)
        # Caught inside the transaction, as a caller might; the head must not have moved in it.
        with pytest.raises(IntegrityError):
            append("thing.made", subject="thing:1", actor=someone)
    assert record().seq == 8
    assert verify().ok


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (3, "3"),
        (10**30, "1" + "0" * 30),
        (Decimal("0.10"), "0.10"),
        (np.float64(0.25), "0.25"),
        (np.float32(0.5), "0.5"),
        (np.int64(4), "4"),
        (float("nan"), "NaN"),
        (np.float64("inf"), "Infinity"),
        (-float("inf"), "-Infinity"),
    ],
)
def test_numbers_become_the_shortest_text_that_reads_back(value, text):
    assert decimal_text(value) == text


def test_checkpoints_are_signed_for_marked_events_only(filled):
    assert list(Checkpoint.objects.values_list("size", flat=True)) == [3, 6]
    assert checkpoint().size == 7
    assert checkpoint().pk == Checkpoint.objects.get(size=7).pk


def test_an_empty_ledger_has_no_checkpoint():
    assert checkpoint() is None
    assert nothing_was_written()


def test_anchors_hear_of_a_checkpoint_once_it_is_committed(
    django_capture_on_commit_callbacks,
):
    with django_capture_on_commit_callbacks() as callbacks:
        record("thing.signed")
    assert list(anchors.read_file()) == []
    for callback in callbacks:
        callback()
        callback()
    note = Checkpoint.objects.get().note
    assert list(anchors.read_file()) == [note, note]
    assert verify().ok


def test_an_anchor_that_fails_stops_neither_the_commit_nor_the_others(
    settings, caplog, django_capture_on_commit_callbacks
):
    settings.LEDGER_ANCHORS = ["builtins.int", "ledger.anchors.append_to_file"]
    with django_capture_on_commit_callbacks(execute=True):
        record("thing.signed")
    assert len(list(anchors.read_file())) == 1
    assert "builtins.int did not take the checkpoint" in caplog.text


def test_personal_text_is_recorded_by_reference_and_can_be_erased(someone):
    reference = remember_personal_text("She was ill.")
    record(reason=reference)
    assert PersonalText.objects.get(reference=reference).text == "She was ill."
    assert remember_personal_text("She was ill.") != reference
    assert erase_personal_text(reference, actor=someone)
    assert not erase_personal_text(reference, actor=someone)
    assert not PersonalText.objects.filter(reference=reference).exists()
    assert LedgerEntry.objects.last().event == "personal_text.erased"
    assert verify().ok


def test_the_name_of_an_actor_can_be_erased(filled, someone):
    assert erase_actor_name("user:7", actor=someone) == 7
    assert set(LedgerEntry.objects.filter(seq__lte=7).values_list("actor_name", flat=True)) == {""}
    report = verify()
    assert report.ok
    assert report.warnings == ("7 entries have no actor name any more",)
    assert LedgerEntry.objects.last().data == {"entries": 7}
