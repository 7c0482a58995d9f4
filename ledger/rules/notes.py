"""Checkpoints as signed notes (C2SP signed-note and tlog-checkpoint), with Ed25519.

A note is three lines, an empty line, and one signature line per key:

    <origin>
    <size>
    <base64 of the root>

    — <key name> <base64 of key id and signature>
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_ID_SIZE = 4
PUBLIC_SIZE = 32
ROOT_SIZE = 32
MAX_DIGITS = 18
MARK = "\N{EM DASH} "


class BadNote(ValueError):
    """The text is no checkpoint, or no signature on it counts."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What a checkpoint says: the log `origin` has `size` entries and this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and the name under which it signs."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[
            :KEY_ID_SIZE
        ]

    def __str__(self) -> str:
        encoded = base64.b64encode(ED25519 + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verify(self, note: str) -> Tree:
        """Return what the note says if this key signed it; else raise BadNote."""
        tree, text, signatures = parse(note)
        for name, key_id, signature in signatures:
            if (name, key_id) == (self.name, self.key_id):
                self._check(signature, text)
                return tree
        raise BadNote(f"the note is not signed by {self.name} {self.key_id.hex()}")

    def _check(self, signature: bytes, text: str) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise BadNote("the signature does not fit the note") from error


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the name under which it signs."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        """Return the public half."""
        return Verifier(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, tree: Tree) -> str:
        """Return the signed note over a tree."""
        text = tree.text()
        signature = self.verifier.key_id + self.private.sign(text.encode())
        return f"{text}\n{MARK}{self.name} {base64.b64encode(signature).decode()}\n"


def read_verifier(text: str) -> Verifier:
    """Read a public key as `Verifier` prints it: `<name>+<key id>+<base64>`."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _base64(encoded)
    if not name or key[:1] != ED25519 or len(key) != PUBLIC_SIZE + 1:
        raise BadNote("a public key reads <name>+<key id>+<base64 of 01 and 32 bytes>")
    verifier = Verifier(name, key[1:])
    if verifier.key_id.hex() != key_id:
        raise BadNote("the key id does not fit name and key")
    return verifier


def verify_any(note: str, verifiers: Iterable[Verifier]) -> Tree:
    """Return what the note says if one of the keys signed it; else raise BadNote."""
    tree, _, signatures = parse(note)
    signed_by = {(name, key_id) for name, key_id, _ in signatures}
    for verifier in verifiers:
        if (verifier.name, verifier.key_id) in signed_by:
            return verifier.verify(note)
    keys = ", ".join(f"{name} {key_id.hex()}" for name, key_id in sorted(signed_by))
    raise BadNote(f"checkpoint {tree.size} is signed by no known key, but by {keys}")


def parse(note: str) -> tuple[Tree, str, list[tuple[str, bytes, bytes]]]:
    """Split a note into tree, signed text and (key name, key id, signature) triples."""
    text, gap, tail = note.partition("\n\n")
    origin, _, rest = text.partition("\n")
    size, _, root = rest.partition("\n")
    if not gap or not origin or "\n" in root or not tail.endswith("\n"):
        raise BadNote("a checkpoint is three lines, an empty line and signatures")
    return (
        _tree(origin, size, root),
        text + "\n",
        [_signature(line) for line in tail[:-1].split("\n")],
    )


def split_notes(lines: Iterable[str]) -> Iterator[str]:
    """Yield the notes of a file in which they stand one after the other."""
    note: list[str] = []
    for line in lines:
        if note and note[-1].startswith(MARK) and not line.startswith(MARK):
            yield "".join(note)
            note = []
        if note or line.strip():
            note.append(line)
    if note:
        yield "".join(note)


def _tree(origin: str, size: str, root: str) -> Tree:
    digest = _base64(root)
    if not re.fullmatch(rf"0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}}", size):
        raise BadNote(f"{size!r} is no tree size")
    if len(digest) != ROOT_SIZE or base64.b64encode(digest).decode() != root:
        raise BadNote(f"{root!r} is no root hash")
    return Tree(origin, int(size), digest)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(MARK).partition(" ")
    value = _base64(encoded)
    if not line.startswith(MARK) or not name or len(value) <= KEY_ID_SIZE:
        raise BadNote(f"{line!r} is no signature line")
    return name, value[:KEY_ID_SIZE], value[KEY_ID_SIZE:]


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote(f"{text!r} is not base64") from error
