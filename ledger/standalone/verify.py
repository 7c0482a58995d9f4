"""Verify a ledger export without Countersign: Python 3.9 or newer and nothing else.

    python verify.py bundle.zip --key KEY [--anchors checkpoints.txt] [--json]

KEY is the public key of the ledger (`<name>+<id>+<base64>`) or a file of such lines. Get it, and
this program, by another way than the bundle: whoever could forge one could forge all three.
Exit code 0: everything holds. 1: something does not. 2: the command line is wrong.

What is checked: the entries are numbered without a gap; each body is canonical and says what its
line says; each hash fits; each is chained to the one before (SHA-256); every checkpoint's Merkle
root (RFC 6962) fits the entries and bears a signature (Ed25519, RFC 8032) of a key given with
--key. Entries after the last checkpoint are reported as unanchored. Checkpoints that someone kept
outside (--anchors) show whether a log was cut back. Memory does not grow with the log.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MAX_LINE = 1 << 20
MAX_REASONS = 20
MAX_NOTE_LINES = 20
MAX_DIGITS = 18
HASH_SIZE = 32
KEY_SIZE = 32
SIGNATURE_SIZE = 64
GENESIS = bytes(HASH_SIZE)
MARK = "\N{EM DASH} "

# --- Ed25519 verification (RFC 8032 section 5.1), points as (X, Y, Z, T) with x = X/Z, xy = T/Z ---

Point = tuple[int, int, int, int]
Key = tuple[str, bytes, bytes]
Note = tuple[int, bytes, str]

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add_points(a: Point, b: Point) -> Point:
    """Add two points; the formula is complete, so it doubles as well."""
    low = (a[1] - a[0]) * (b[1] - b[0]) % P
    high = (a[1] + a[0]) * (b[1] + b[0]) % P
    t = 2 * D * a[3] * b[3] % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = high - low, z - t, z + t, high + low
    return e * f % P, g * h % P, f * g % P, e * h % P


def decode_point(data: bytes) -> Point | None:
    """Return the point that 32 bytes stand for, or None."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    square = u * pow(v, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def encode_point(point: Point) -> bytes:
    """Return the 32 bytes of a point."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL


def ed25519_verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether `signature` over `message` was made with the key whose public half is given."""
    key = decode_point(public) if len(public) == KEY_SIZE else None
    if key is None or len(signature) != SIGNATURE_SIZE:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % ORDER
    # S*B - k*A must be R. Both products are built in one run over the bits.
    minus_key = (P - key[0], key[1], 1, P - key[3])
    table = (NEUTRAL, BASE, minus_key, add_points(BASE, minus_key))
    result = NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        result = add_points(result, result)
        choice = (s >> bit & 1) | (k >> bit & 1) << 1
        if choice:
            result = add_points(result, table[choice])
    return encode_point(result) == signature[:32]


# --- Hashes ---------------------------------------------------------------------------------------


def sha256(*parts: bytes) -> bytes:
    """Hash the parts one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:
    """A Merkle tree of which only the roots of the perfect subtrees are kept."""

    def __init__(self) -> None:
        self.size = 0
        self.nodes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        self.nodes.append(leaf)
        bits = self.size
        while bits & 1:
            right = self.nodes.pop()
            self.nodes[-1] = sha256(b"\x01", self.nodes[-1], right)
            bits >>= 1
        self.size += 1

    def root(self) -> bytes:
        if not self.nodes:
            return sha256()
        result = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            result = sha256(b"\x01", left, result)
        return result


# --- Reading --------------------------------------------------------------------------------------


class Bad(Exception):
    """Something in the bundle does not hold."""


def canonical(value: Any) -> str:
    """Return the only permitted spelling of a JSON value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def refuse_float(text: str) -> float:
    """Reject a number that JSON readers may round."""
    raise ValueError(text + " is a float")


def read_object(text: str, keys: set[str]) -> dict[str, Any]:
    """Read canonical JSON of an object that has exactly these keys."""
    try:
        value = json.loads(text, parse_float=refuse_float, parse_constant=refuse_float)
        spelled = canonical(value)
    except (ValueError, RecursionError) as error:
        raise Bad(f"not canonical JSON: {error}") from None
    if spelled != text:
        raise Bad("not in canonical form")
    if not isinstance(value, dict) or set(value) != keys:
        raise Bad("it must have exactly the keys " + ", ".join(sorted(keys)))
    return value


def read_lines(archive: zipfile.ZipFile, name: str) -> Iterator[str]:
    """Yield the lines of a member, without their line feeds."""
    with archive.open(name) as stream:
        while True:
            line = stream.readline(MAX_LINE)
            if not line:
                return
            if not line.endswith(b"\n"):
                raise Bad(f"{name}: a line is too long or cut off")
            try:
                yield line[:-1].decode()
            except UnicodeDecodeError:
                raise Bad(f"{name}: a line is not UTF-8") from None


def read_base64(text: str) -> bytes:
    """Decode strictly."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except ValueError:
        raise Bad(f"{text[:80]!r} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Bad(f"{text[:80]!r} is not base64")
    return data


def read_key(line: str) -> Key:
    """Return (name, id, public key) of `<name>+<id>+<base64>`."""
    name, _, rest = line.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    data = read_base64(encoded)
    if not name or len(data) != KEY_SIZE + 1 or data[0] != 1:
        raise Bad(f"a key reads <name>+<id>+<base64>, not {line[:80]!r}")
    if sha256(name.encode(), b"\n", data)[:4].hex() != key_id:
        raise Bad(f"the id of key {line[:80]!r} does not fit it")
    return name, bytes.fromhex(key_id), data[1:]


def read_notes(lines: Iterable[str], keys: list[Key]) -> Iterator[Note]:
    """Yield (size, root, signer) of notes that stand one after the other, checking each."""
    block: list[str] = []
    signed = False
    for line in lines:
        if signed and not line.startswith(MARK):
            yield read_note(block, keys)
            block, signed = [], False
        if line or block:
            block.append(line)
        signed = signed or line.startswith(MARK)
        if len(block) > MAX_NOTE_LINES:
            raise Bad("a checkpoint has too many lines")
    if block:
        yield read_note(block, keys)


def read_note(lines: list[str], keys: list[Key]) -> Note:
    """Check one checkpoint: form, size, root and the signature of one of the keys."""
    signatures = lines[4:]
    if not all(lines[:3]) or lines[3:4] != [""] or not signatures:
        raise Bad("a checkpoint is three lines, an empty line and signatures")
    origin, size, root = lines[0], lines[1], read_base64(lines[2])
    if not (size.isascii() and size.isdigit()) or len(size) > MAX_DIGITS or str(int(size)) != size:
        raise Bad(f"{size[:80]!r} is no tree size")
    message = "".join(line + "\n" for line in lines[:3]).encode()
    for line in signatures:
        name, _, encoded = line[len(MARK) :].partition(" ")
        if not line.startswith(MARK):
            raise Bad("a line among the signatures is none")
        data = read_base64(encoded)
        for key in keys:
            if origin == name and key[:2] == (name, data[:4]):
                if not ed25519_verify(key[2], data[4:], message):
                    raise Bad(f"checkpoint {size}: the signature does not fit")
                return int(size), root, name + "+" + data[:4].hex()
    raise Bad(f"checkpoint {size} ({origin}) is signed by no key that was given")


# --- Checking -------------------------------------------------------------------------------------

LINE_KEYS = {"actor_name", "actor_salt", "body", "entry_hash", "leaf_hash", "previous_hash", "seq"}
BODY_KEYS = {"v", "t", "seq", "at", "event", "actor", "actor_name", "method", "subject", "data"}
TEXT_KEYS = {"reference", "salt", "text"}


def is_text(reference: object, salt: str, text: str) -> bool:
    """Tell whether a reference in hashed bytes stands for this personal text."""
    try:
        data = bytes.fromhex(salt)
        return data.hex() == salt and sha256(data, text.encode()).hex() == reference
    except (TypeError, ValueError, AttributeError):
        return False


class Log:
    """The entries read so far."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.last_hash = GENESIS
        self.first_at = self.last_at = ""
        self.clock_steps_back = self.erased_names = 0

    def step(self, text: str) -> None:
        """Check the next line of entries.jsonl and go over it."""
        line = read_object(text, LINE_KEYS)
        if type(line["seq"]) is not int or line["seq"] != self.tree.size + 1:
            raise Bad(f"entry {self.tree.size + 1} is missing; the next is {line['seq']!r}")
        if not all(isinstance(line[name], str) for name in LINE_KEYS - {"seq"}):
            raise Bad("everything but seq must be text")
        leaf = sha256(b"\x00", line["body"].encode())
        entry = sha256(b"\x02", self.last_hash, leaf)
        if line["leaf_hash"] != leaf.hex():
            raise Bad("the leaf hash does not fit the body")
        if line["previous_hash"] != self.last_hash.hex():
            raise Bad("the previous hash is not the hash of the entry before")
        if line["entry_hash"] != entry.hex():
            raise Bad("the entry hash does not fit the previous hash and the leaf hash")
        self.check_body(line)
        self.tree.append(leaf)
        self.last_hash = entry

    def check_body(self, line: dict[str, Any]) -> None:
        """Compare the line with what its hashed body says."""
        body = read_object(line["body"], BODY_KEYS)
        if (body["v"], body["t"], body["seq"]) != (1, "ledger.entry", line["seq"]):
            raise Bad(f"the body is not that of entry {line['seq']}")
        self.check_name(line, body["actor_name"])
        self.clock_steps_back += str(body["at"]) < self.last_at
        self.last_at = str(body["at"])
        self.first_at = self.first_at or self.last_at

    def check_name(self, line: dict[str, Any], reference: object) -> None:
        """Compare the actor's name with its salted reference, unless it was erased."""
        if not line["actor_name"] and not line["actor_salt"]:
            self.erased_names += 1
        elif not is_text(reference, line["actor_salt"], line["actor_name"]):
            raise Bad("the actor's name is not the one that was recorded")


class Verification:
    """One run over a bundle."""

    def __init__(self, keys: list[Key], anchors: list[str]) -> None:
        self.keys = keys
        self.anchors = anchors
        self.log = Log()
        self.reasons: list[str] = []
        self.warnings: list[str] = []
        self.first_bad_seq: int | None = None
        self.checkpoints = self.anchored = self.texts = self.signed_size = 0
        self.signers: set[str] = set()

    def run(self, path: str) -> dict[str, Any]:
        """Check everything; return the report."""
        try:
            with zipfile.ZipFile(path) as archive:
                self.check_members(archive)
                self.check_entries(archive)
                self.check_texts(archive)
        except Bad as error:
            self.fail(str(error))
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            self.fail(f"the archive cannot be read: {error}")
        if not self.reasons and not self.checkpoints:
            self.fail("no checkpoint: nothing in this bundle is signed")
        return self.report()

    def fail(self, reason: str, seq: int | None = None) -> None:
        self.reasons.append(reason)
        if seq is not None and self.first_bad_seq is None:
            self.first_bad_seq = seq

    def check_members(self, archive: zipfile.ZipFile) -> None:
        names = archive.namelist()
        if len(names) != len(set(names)):
            raise Bad("two members of the archive have the same name")
        if missing := {"entries.jsonl", "checkpoints.txt"}.difference(names):
            raise Bad(f"{' and '.join(sorted(missing))} is missing")

    def check_entries(self, archive: zipfile.ZipFile) -> None:
        inside = read_notes(read_lines(archive, "checkpoints.txt"), self.keys)
        outside = sorted(set(read_notes(self.anchors, self.keys)))
        waiting = [Queue(inside), Queue(iter(outside))]
        for line in read_lines(archive, "entries.jsonl"):
            seq = self.log.tree.size + 1
            try:
                self.log.step(line)
            except Bad as error:
                self.fail(f"entry {seq}: {error}", seq)
                return
            inside_count = self.check_roots(waiting[0].take_at(seq), "checkpoint")
            self.anchored += self.check_roots(waiting[1].take_at(seq), "kept checkpoint")
            if self.reasons:
                return
            self.checkpoints += inside_count
            self.signed_size = seq if inside_count else self.signed_size
        self.check_nothing_waits(waiting)

    def check_roots(self, notes: Iterator[Note], source: str) -> int:
        """Compare signed roots with the one over the entries so far; return how many they were."""
        count = 0
        for size, root, signer in notes:
            count += 1
            self.signers.add(signer)
            if self.log.tree.root() != root:
                # It cannot tell which of the entries since the last good checkpoint it was.
                self.fail(
                    f"{source} {size}: the signed root does not fit the entries",
                    self.signed_size + 1,
                )
        return count

    def check_nothing_waits(self, waiting: list[Queue]) -> None:
        size = self.log.tree.size
        for queue in waiting:
            if queue.next is not None:
                self.fail(
                    f"a checkpoint signs {queue.next[0]} entries and does not follow on the {size} "
                    "that are here: some are missing, or checkpoints are out of order",
                    size + 1,
                )

    def check_texts(self, archive: zipfile.ZipFile) -> None:
        if "texts.jsonl" not in archive.namelist():
            return
        for text in read_lines(archive, "texts.jsonl"):
            self.texts += 1
            line = read_object(text, TEXT_KEYS)
            if not is_text(line["reference"], line["salt"], line["text"]):
                raise Bad(f"personal text {self.texts} was changed")

    def report(self) -> dict[str, Any]:
        if self.log.clock_steps_back:
            self.warnings.append(f"the clock went back {self.log.clock_steps_back} times")
        if self.log.erased_names:
            self.warnings.append(f"{self.log.erased_names} entries have no actor name")
        return {
            "ok": not self.reasons,
            "entries": self.log.tree.size,
            "first_at": self.log.first_at,
            "last_at": self.log.last_at,
            "first_bad_seq": self.first_bad_seq,
            "reasons": self.reasons[:MAX_REASONS],
            "checkpoints": self.checkpoints,
            "kept_checkpoints": self.anchored,
            "signed_by": sorted(self.signers),
            "signed_size": self.signed_size,
            "unanchored_tail": self.log.tree.size - self.signed_size,
            "personal_texts": self.texts,
            "warnings": self.warnings,
        }


class Queue:
    """Checkpoints in the order in which the entries reach them."""

    def __init__(self, notes: Iterator[Note]) -> None:
        self.notes = notes
        self.next = next(notes, None)

    def take_at(self, size: int) -> Iterator[Note]:
        """Yield every checkpoint over exactly that many entries."""
        while self.next is not None and self.next[0] == size:
            yield self.next
            self.next = next(self.notes, None)


# --- Command line ---------------------------------------------------------------------------------


def show(report: dict[str, Any], path: str) -> str:
    """Return the verdict for people."""
    verdict = "VERIFIED" if report["ok"] else "FAILED"
    lines = [f"{verdict}  {path}", *report["reasons"]]
    if report["first_bad_seq"] is not None:
        lines.append(f"first bad entry  {report['first_bad_seq']}")
    lines += [
        f"entries          {report['entries']} ({report['first_at']} to {report['last_at']})",
        f"checkpoints      {report['checkpoints']}, {report['kept_checkpoints']} kept outside",
        "signed by        " + (", ".join(report["signed_by"]) or "nobody"),
        f"unanchored       {report['unanchored_tail']} entries after the last checkpoint",
        f"personal texts   {report['personal_texts']}",
    ]
    lines += ["warning: " + text for text in report["warnings"]]
    return "\n  ".join(printable(line) for line in lines) + "\n"


def printable(text: str) -> str:
    """Keep a forged bundle from sending control sequences to the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def keys_from(arguments: list[str]) -> list[Key]:
    """Return the keys given as text or as files of lines."""
    keys = []
    for argument in arguments:
        text = Path(argument).read_text(encoding="utf-8") if Path(argument).is_file() else argument
        keys += [read_key(line) for line in text.split("\n") if line.strip()]
    return keys


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Verify a ledger export.")
    parser.add_argument("bundle", help="the .zip file")
    parser.add_argument("--key", action="append", required=True, help="public key, or its file")
    parser.add_argument("--anchors", help="file of checkpoints that was kept elsewhere")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    try:
        keys = keys_from(options.key)
        anchors = Path(options.anchors).read_text(encoding="utf-8") if options.anchors else ""
    except (Bad, OSError, UnicodeDecodeError) as error:
        parser.error(str(error))
    report = Verification(keys, anchors.split("\n")).run(options.bundle)
    text = json.dumps(report, indent=2) + "\n" if options.json else show(report, options.bundle)
    sys.stdout.write(text.encode("ascii", "backslashreplace").decode())
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
