"""The command line: exit codes and one clear sentence."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger import keys
from ledger.models import Checkpoint
from ledger.rules import notes
from ledger.standalone import verify as standalone

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_verify_ledger_says_what_it_checked(filled):
    assert "7 entries, 2 checkpoints, 0 anchored notes, 1 entries not yet signed" in run(
        "verify_ledger"
    )
    assert json.loads(run("verify_ledger", "--json"))["ok"]


def test_verify_ledger_fails_with_the_first_bad_entry(filled, without_triggers):
    without_triggers(4, subject="thing:99")
    out = StringIO()
    with pytest.raises(CommandError, match="first bad seq 4") as refusal:
        call_command("verify_ledger", stdout=out, stderr=out)
    assert refusal.value.returncode == 1
    assert "entry 4: subject is 'thing:99'" in out.getvalue()


def test_export_ledger_says_how_to_verify(filled, tmp_path):
    path = tmp_path / "new folder" / "ledger.zip"
    said = run("export_ledger", str(path))
    assert f"--key '{keys.verifier()}'" in said
    assert standalone.main([str(path), "--key", str(keys.verifier())]) == 0


def test_export_ledger_without_a_path_writes_below_home(filled, settings, tmp_path):
    settings.HOME = tmp_path
    run("export_ledger")
    assert len(list((tmp_path / "exports").glob("ledger-*.zip"))) == 1


def test_export_of_an_empty_ledger_fails_with_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="nothing to export"):
        run("export_ledger", str(tmp_path / "x.zip"))


def test_ledger_key_prints_the_line_that_verifiers_pin(filled):
    assert notes.read_verifier(run("ledger_key")) == keys.verifier()


def test_ledger_key_rotates_and_keeps_the_old_public_key(filled):
    old = keys.verifier()
    new = notes.read_verifier(run("ledger_key", "--rotate"))
    assert run("ledger_key", "--all").split() == [str(new), str(old)]
    assert new.verify(Checkpoint.objects.last().note).size == 8
    assert "8 entries" in run("verify_ledger")
