"""Checkpoints are signed notes as C2SP defines them."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.rules import notes
from ledger.rules.notes import BadNote, Signer, Tree

TREE = Tree("example.test/log", 12, bytes(range(32)))
SIGNER = Signer("example.test/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
NOTE = SIGNER.sign(TREE)

# The example key and note in the documentation of Go's note package.
EXAMPLE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
EXAMPLE_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
EXAMPLE_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def test_a_note_is_three_lines_an_empty_line_and_a_signature():
    origin, size, root, empty, signature, end = NOTE.split("\n")
    assert (origin, size, empty, end) == ("example.test/log", "12", "", "")
    assert base64.b64decode(root) == TREE.root
    assert signature.startswith("— example.test/log ")


def test_the_published_example_verifies():
    key = notes.read_verifier(EXAMPLE_KEY)
    signature = base64.b64decode(EXAMPLE_SIGNATURE)
    assert signature[:4] == key.key_id
    key._check(signature[4:], EXAMPLE_TEXT)
    assert str(key) == EXAMPLE_KEY


def test_the_public_key_reads_back():
    assert notes.read_verifier(f" {SIGNER.verifier}\n") == SIGNER.verifier
    assert SIGNER.verifier.verify(NOTE) == TREE


def test_every_changed_character_is_refused():
    for position, character in enumerate(NOTE):
        other = "A" if character != "A" else "B"
        with pytest.raises(BadNote):
            SIGNER.verifier.verify(NOTE[:position] + other + NOTE[position + 1 :])


def test_a_signature_of_another_key_does_not_count():
    other = Signer(SIGNER.name, Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
    with pytest.raises(BadNote, match="not signed by"):
        other.verifier.verify(NOTE)
    with pytest.raises(BadNote, match="no known key"):
        notes.verify_any(NOTE, [other.verifier])
    assert notes.verify_any(NOTE, [other.verifier, SIGNER.verifier]) == TREE


@pytest.mark.parametrize(
    "note",
    [
        "",
        "a\n1\n",
        NOTE[:-1],
        NOTE.replace("\n12\n", "\n012\n"),
        NOTE.replace("\n12\n", "\n-1\n"),
        NOTE.replace("\n12\n", "\n" + "9" * 5000 + "\n"),
        NOTE.replace("—", "-"),
        NOTE.partition("—")[0] + "— example.test/log ????\n",
        NOTE.partition("—")[0] + "— example.test/log QUJD\n",
    ],
)
def test_what_is_no_note_is_refused(note):
    with pytest.raises(BadNote):
        notes.parse(note)


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+00000000+AAAA", EXAMPLE_KEY.replace("c74f", "c74e"), "a+b+%%"],
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(BadNote):
        notes.read_verifier(text)


def test_notes_in_one_file_are_told_apart():
    two_signatures = NOTE + NOTE.split("\n\n")[1]
    file = "\n" + NOTE + "\n" + two_signatures + "\n\n" + NOTE
    assert list(notes.split_notes(file.splitlines(keepends=True))) == [NOTE, two_signatures, NOTE]
