"""Whatever is changed behind the ledger's back is found, and where it begins."""

from datetime import timedelta

import pytest
from django.db.models import F

from ledger import anchors, keys
from ledger.models import Checkpoint, LedgerEntry, LedgerHead, PersonalText
from ledger.rules import entries, merkle
from ledger.rules.notes import Tree
from ledger.services import checkpoint, remember_personal_text, rotate_key, verify
from tests.ledger.conftest import record

pytestmark = pytest.mark.django_db


def test_an_honest_ledger_verifies(filled):
    report = verify()
    assert report.ok
    assert (report.entries, report.checkpoints, report.unsigned_tail) == (7, 2, 1)
    assert (report.first_bad_seq, report.problems, report.warnings) == (None, (), ())


def test_an_empty_ledger_verifies_without_making_a_key():
    assert verify().ok
    assert keys.known_verifiers() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"event": "thing.broken"}, "event is 'thing.broken'"),
        ({"actor": "user:8"}, "actor is 'user:8'"),
        ({"actor_name": "Somebody Else"}, "is not the name that was recorded"),
        ({"actor_salt": b"x" * 16}, "is not the name that was recorded"),
        ({"actor_salt": b""}, "is not the name that was recorded"),
        ({"method": "token"}, "method is 'token'"),
        ({"subject": "thing:99"}, "subject is 'thing:99'"),
        ({"recorded_at": F("recorded_at") + timedelta(microseconds=1)}, "at is "),
        ({"body": b"{}"}, "the leaf hash does not fit the body"),
        ({"body": b"\xff"}, "not canonical JSON"),
        ({"leaf_hash": bytes(32)}, "the leaf hash does not fit the body"),
        ({"previous_hash": bytes(32)}, "the previous hash is not"),
        ({"entry_hash": bytes(32)}, "the entry hash does not fit"),
        ({"seq": 70}, "entry 4 is missing; the next one is 5"),
    ],
)
def test_a_changed_column_is_found(filled, without_triggers, changes, reason):
    assert without_triggers(4, **changes) == 1
    report = verify()
    assert not report.ok
    assert report.first_bad_seq == 4
    assert any(reason in problem for problem in report.problems), report.problems


def test_a_forged_body_with_fitting_hashes_breaks_the_chain(filled, without_triggers):
    body = filled[3].body.replace(b"thing.made", b"thing.lost")
    leaf = merkle.leaf_hash(body)
    entry = entries.chain_hash(filled[3].previous_hash, leaf)
    without_triggers(4, body=body, leaf_hash=leaf, entry_hash=entry, event="thing.lost")
    report = verify()
    assert report.first_bad_seq == 5
    assert report.problems == ("entry 5: the previous hash is not the hash of the entry before",)


def rechain(start):
    """Rewrite every hash from an entry on, and the head, as the owner of the database can."""
    nodes, last = [], entries.GENESIS
    for entry in LedgerEntry.objects.order_by("seq"):
        leaf = merkle.leaf_hash(bytes(entry.body))
        chained = entries.chain_hash(last, leaf)
        if entry.seq >= start:
            LedgerEntry.objects.filter(pk=entry.pk).update(
                leaf_hash=leaf, previous_hash=last, entry_hash=chained
            )
        nodes, last = merkle.append(entry.seq - 1, nodes, leaf), chained
    size = LedgerEntry.objects.count()
    LedgerHead.objects.update(
        size=size, last_hash=last, compact_range=[node.hex() for node in nodes]
    )


def test_a_rewritten_chain_does_not_fit_the_signed_roots(filled, without_triggers):
    body = filled[3].body.replace(b"thing.made", b"thing.lost")
    without_triggers(4, body=body, event="thing.lost")
    rechain(4)
    report = verify()
    assert report.first_bad_seq == 4
    assert report.problems == (
        "checkpoint 6: the root over 6 entries is not the one that was signed",
    )


def test_a_rewritten_chain_without_checkpoints_is_found_by_the_anchor(
    filled, without_triggers, someone
):
    anchors.append_to_file(Checkpoint.objects.get(size=6).note)
    without_triggers(4, body=filled[3].body.replace(b"made", b"lost"), event="thing.lost")
    Checkpoint.objects.all().delete()
    rechain(4)
    report = verify()
    assert report.first_bad_seq == 1
    assert "anchored note 1: the root over 6 entries" in report.problems[0]


def test_a_log_that_was_cut_back_is_found_by_the_anchor_alone(filled, without_triggers):
    note = Checkpoint.objects.get(size=6).note
    LedgerEntry.objects.filter(seq__gt=4).delete()
    Checkpoint.objects.filter(size__gt=4).delete()
    rechain(99)
    assert verify().ok
    anchors.append_to_file(note)
    report = verify()
    assert report.first_bad_seq == 5
    assert "signs 6 entries, but there are only 4" in report.problems[0]


@pytest.mark.parametrize("seq", [1, 4, 7])
def test_a_deleted_entry_is_found(filled, without_triggers, seq):
    LedgerEntry.objects.filter(seq=seq).delete()
    assert not verify().ok
    assert verify().first_bad_seq in {seq, None}


def test_exchanged_entries_are_found(filled, without_triggers):
    without_triggers(4, seq=99)
    without_triggers(5, seq=4)
    without_triggers(99, seq=5)
    assert verify().first_bad_seq == 4


def test_an_entry_beyond_the_head_is_found(filled, without_triggers):
    extra = LedgerEntry.objects.get(seq=7)
    extra.pk, extra.seq = None, 8
    extra.save(force_insert=True)
    report = verify()
    assert report.first_bad_seq == 8
    assert "beyond the head" in report.problems[0]


@pytest.mark.parametrize("changes", [{"size": 6}, {"last_hash": bytes(32)}, {"compact_range": []}])
def test_a_changed_head_is_found(filled, without_triggers, changes):
    LedgerHead.objects.update(**changes)
    assert "head" in " ".join(verify().problems)


def sign(tree):
    return keys.signer().sign(tree)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda note: note.replace("\n3\n", "\n2\n"), "the signature does not fit"),
        (lambda note: note.partition("\n\n")[0] + "\n", "three lines"),
        (lambda note: sign(Tree(keys.origin(), 3, bytes(32))), "its columns differ"),
        (lambda note: sign(Tree("another.test/log", 3, bytes(32))), "another log"),
    ],
)
def test_a_changed_checkpoint_is_found(filled, without_triggers, change, reason):
    note = Checkpoint.objects.get(size=3).note
    Checkpoint.objects.filter(size=3).update(note=change(note))
    assert any(reason in problem for problem in verify().problems)


def test_a_checkpoint_signed_by_an_unknown_key_is_found(filled, settings, tmp_path):
    settings.LEDGER_KEY_FILE = tmp_path / "another_key"
    checkpoint()
    assert "signed by no known key" in verify().problems[0]


def test_changed_personal_text_is_found(without_triggers):
    reference = remember_personal_text("She agreed.")
    PersonalText.objects.update(text="She refused.")
    assert verify().problems == (f"personal text {reference[:12]} was changed",)


def test_dropped_triggers_and_a_clock_that_went_back_are_warned_of(
    filled, without_triggers, monkeypatch
):
    yesterday = filled[0].recorded_at - timedelta(days=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: yesterday)
    record()
    report = verify()
    assert report.ok
    assert "ledger_entry_delete" in report.warnings[0]
    assert report.warnings[1] == "the clock went back 1 times"


def test_checkpoints_of_a_retired_key_still_count(filled):
    old, new = rotate_key()
    assert old != new
    assert keys.known_verifiers() == [new, old]
    report = verify()
    assert report.ok
    assert report.checkpoints == 4
    assert LedgerEntry.objects.last().data == {"old": str(old), "new": str(new)}
    with pytest.raises(ValueError, match="not signed by"):
        old.verify(Checkpoint.objects.last().note)
