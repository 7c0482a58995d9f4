"""The bundle verifies anywhere, and nothing in it can be changed unseen."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import keys
from ledger.errors import NothingToExport
from ledger.models import Checkpoint, LedgerEntry
from ledger.services import erase_actor_name, export, remember_personal_text, verify
from ledger.standalone import verify as standalone
from tests.ledger.conftest import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle(filled, tmp_path):
    record(reason=remember_personal_text("Er war krank, sagte sie: “müde”."))
    return export(tmp_path / "ledger-export.zip")


@pytest.fixture
def key():
    return standalone.read_key(str(keys.verifier()))


def members(bundle):
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    file.seek(0)
    return file


def report_on(content, key, anchors=""):
    return standalone.Verification([key], anchors.split("\n")).run(packed(content))


def run_alone(bundle, *arguments, cwd):
    """Run the bundle's own verifier in a Python that sees the standard library alone."""
    program = cwd / "verify.py"
    program.write_bytes(members(bundle)["verify.py"])
    command = [sys.executable, "-I", "-S", str(program), str(bundle), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_the_bundle_verifies_in_a_process_of_its_own(bundle, tmp_path):
    done = run_alone(bundle, "--key", str(keys.verifier()), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED")
    assert "0 entries after the last checkpoint" in done.stdout


def test_the_report_as_json_agrees_with_the_ledger_itself(bundle, tmp_path):
    key_file = tmp_path / "key.txt"
    key_file.write_text(f"{keys.verifier()}\n")
    done = run_alone(bundle, "--key", str(key_file), "--json", cwd=tmp_path)
    report, ours = json.loads(done.stdout), verify()
    assert done.returncode == 0
    assert report["ok"]
    assert report["entries"] == ours.entries == 8
    assert report["checkpoints"] == ours.checkpoints == 3
    assert (report["unanchored_tail"], report["personal_texts"]) == (0, 1)


def test_a_changed_bundle_fails_in_a_process_of_its_own(bundle, tmp_path):
    content = members(bundle)
    content["entries.jsonl"] = content["entries.jsonl"].replace(b"thing:1", b"thing:2")
    changed = tmp_path / "changed.zip"
    changed.write_bytes(packed(content).read())
    done = run_alone(changed, "--key", str(keys.verifier()), "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], report["first_bad_seq"]) == (1, False, 1)


@pytest.mark.parametrize("arguments", [[], ["--key", "nonsense"], ["--key", "a+b+c"]])
def test_without_a_proper_key_the_command_line_is_refused(bundle, tmp_path, arguments):
    done = run_alone(bundle, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "key" in done.stderr


def test_a_file_that_is_no_archive_fails_with_a_sentence(tmp_path, key):
    for data in (b"", b"no zip", b"PK\x03\x04"):
        path = tmp_path / "broken.zip"
        path.write_bytes(data)
        report = standalone.Verification([key], []).run(str(path))
        assert not report["ok"]
        assert "archive cannot be read" in report["reasons"][0]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_flipped_byte_is_found(bundle, key, data):
    content = members(bundle)
    name = data.draw(st.sampled_from(["entries.jsonl", "checkpoints.txt", "texts.jsonl"]))
    position = data.draw(st.integers(0, len(content[name]) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = bytearray(content[name])
    changed[position] ^= flip
    assert not report_on({**content, name: bytes(changed)}, key)["ok"]


@pytest.mark.slow
def test_every_flipped_low_bit_of_the_entries_is_found(db, tmp_path, key):
    record(number=1)
    record(number=2)
    content = members(export(tmp_path / "two.zip"))
    entries = content["entries.jsonl"]
    for position in range(len(entries)):
        changed = bytearray(entries)
        changed[position] ^= 1
        assert not report_on({**content, "entries.jsonl": bytes(changed)}, key)["ok"], position


def lines_of(content, name="entries.jsonl"):
    return content[name].splitlines(keepends=True)


@pytest.mark.parametrize(
    ("change", "first_bad_seq"),
    [
        (lambda lines: lines[:3] + lines[4:], 4),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], 4),
        (lambda lines: [*lines[:4], *lines[3:]], 5),
        (lambda lines: lines[:-1], 8),
        (lambda lines: [*lines, lines[-1]], 9),
        (lambda lines: [*lines, b"\n"], 9),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], None),
        (lambda lines: [lines[0].replace(b'"seq":1}', b'"seq":true}'), *lines[1:]], 1),
        (lambda lines: [lines[0].replace(b'"seq":1}', b'"seq":1,"x":1}'), *lines[1:]], 1),
        (lambda lines: [lines[0].replace("Ø".encode(), b"\\u00d8"), *lines[1:]], 1),
    ],
)
def test_missing_moved_and_respelled_lines_are_found(bundle, key, change, first_bad_seq):
    content = members(bundle)
    content["entries.jsonl"] = b"".join(change(lines_of(content)))
    report = report_on(content, key)
    assert not report["ok"]
    assert report["first_bad_seq"] == first_bad_seq


def rewritten(content, old, new):
    """Return entries with a changed body and every hash from there on recomputed."""
    last, result = bytes(32), []
    for text in lines_of(content):
        line = json.loads(text)
        line["body"] = line["body"].replace(old, new)
        leaf = standalone.sha256(b"\x00", line["body"].encode())
        line["leaf_hash"], line["previous_hash"] = leaf.hex(), last.hex()
        last = standalone.sha256(b"\x02", last, leaf)
        line["entry_hash"] = last.hex()
        result.append(standalone.canonical(line) + "\n")
    return "".join(result).encode()


def test_a_rewritten_chain_fails_at_the_signed_root(bundle, key):
    content = members(bundle)
    content["entries.jsonl"] = rewritten(content, '"number":4', '"number":5')
    report = report_on(content, key)
    assert report["first_bad_seq"] == 4
    assert report["reasons"] == ["checkpoint 6: the signed root does not fit the entries"]


def test_a_forged_bundle_signed_by_another_key_fails(bundle, settings, tmp_path, key):
    content = members(bundle)
    content["entries.jsonl"] = rewritten(content, '"number":4', '"number":5')
    settings.LEDGER_KEY_FILE = tmp_path / "forged_key"
    tree, signed = standalone.Tree(), []
    for line in lines_of(content):
        tree.append(bytes.fromhex(json.loads(line)["leaf_hash"]))
        if tree.size in {3, 6, 8}:
            from ledger.rules.notes import Tree

            signed.append(keys.signer().sign(Tree(keys.origin(), tree.size, tree.root())))
    content["checkpoints.txt"] = "\n".join(signed).encode()
    assert report_on(content, standalone.read_key(str(keys.verifier())))["ok"]
    report = report_on(content, key)
    assert not report["ok"]
    assert "signed by no key that was given" in report["reasons"][0]


def test_a_bundle_without_signatures_fails(bundle, key):
    content = members(bundle)
    content["checkpoints.txt"] = b""
    report = report_on(content, key)
    assert report["reasons"] == ["no checkpoint: nothing in this bundle is signed"]
    assert report["unanchored_tail"] == 8


def test_a_tail_without_checkpoint_is_reported_as_unanchored(bundle, key):
    content = members(bundle)
    two = Checkpoint.objects.filter(size__lt=8).values_list("note", flat=True)
    content["checkpoints.txt"] = "\n".join(two).encode()
    report = report_on(content, key)
    assert (report["ok"], report["signed_size"], report["unanchored_tail"]) == (True, 6, 2)


def test_a_bundle_that_was_cut_back_fails_against_a_kept_checkpoint(bundle, key):
    content = members(bundle)
    kept = content["checkpoints.txt"].decode()
    content["entries.jsonl"] = b"".join(lines_of(content)[:3])
    content["checkpoints.txt"] = Checkpoint.objects.get(size=3).note.encode()
    assert report_on(content, key)["ok"]
    report = report_on(content, key, anchors=kept)
    assert not report["ok"]
    assert report["first_bad_seq"] == 4


def test_kept_checkpoints_may_repeat(bundle, key):
    content = members(bundle)
    kept = content["checkpoints.txt"].decode() * 2
    report = report_on(content, key, anchors=kept)
    assert (report["ok"], report["kept_checkpoints"]) == (True, 3)


@pytest.mark.parametrize("name", ["entries.jsonl", "checkpoints.txt"])
def test_a_missing_member_fails(bundle, key, name):
    content = members(bundle)
    del content[name]
    assert report_on(content, key)["reasons"] == [f"{name} is missing"]


def test_an_endless_line_fails(bundle, key):
    content = members(bundle)
    content["entries.jsonl"] = b"[" * (standalone.MAX_LINE + 2)
    assert "too long" in report_on(content, key)["reasons"][0]


def test_the_longest_body_that_can_be_recorded_verifies(db, tmp_path, key):
    record(text="\\" * 30_000)
    content = members(export(tmp_path / "long.zip"))
    assert report_on(content, key)["ok"]


def test_control_characters_do_not_reach_the_terminal():
    assert standalone.printable("a\x1b[31mb\n") == "a?[31mb?"


def test_erased_names_and_texts_leave_a_bundle_that_verifies(bundle, key, tmp_path, someone):
    without = members(export(tmp_path / "without.zip", personal_texts=False))
    assert "Ørsted" not in b"".join(without.values()).decode()
    assert "texts.jsonl" not in without
    report = report_on(without, key)
    assert report["ok"]
    assert report["warnings"] == ["8 entries have no actor name"]
    erase_actor_name("user:7", actor=someone)
    assert report_on(members(export(tmp_path / "erased.zip")), key)["ok"]


def test_an_empty_ledger_is_not_exported(db, tmp_path):
    with pytest.raises(NothingToExport) as refusal:
        export(tmp_path / "empty.zip")
    assert refusal.value.code == "nothing_to_export"
    assert list(tmp_path.glob("*.zip*")) == []


def test_a_failed_export_leaves_the_old_file(bundle, tmp_path, monkeypatch):
    before = bundle.read_bytes()

    def fail(*_args, **_options):
        raise OSError("disk full")

    monkeypatch.setattr("ledger.services.exporting._fill", fail)
    with pytest.raises(OSError, match="disk full"):
        export(bundle)
    assert bundle.read_bytes() == before
    assert list(tmp_path.glob("*.part")) == []


def test_the_verifier_uses_the_standard_library_alone():
    source = Path(standalone.__file__).read_text()
    imported = {
        line.split()[1].partition(".")[0]
        for line in source.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported <= set(sys.stdlib_module_names)


def test_exporting_reads_in_chunks(filled, tmp_path, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        export(tmp_path / "chunks.zip")
    assert LedgerEntry.objects.count() == 7
