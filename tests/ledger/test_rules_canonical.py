"""One value has one spelling."""

import json
import unicodedata
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules import canonical
from ledger.rules.canonical import NotCanonical

ENVELOPE = {"v": 1, "t": "test"}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# Two names may not become one in normal form.
names = texts.map(lambda text: unicodedata.normalize("NFC", text))
values = st.recursive(
    st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def encode(**content):
    return canonical.encode({**ENVELOPE, **content})


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"b": 1, "a": True}, '{"a":true,"b":1,"t":"test","v":1}'),
        ({"a": "e\u0301"}, '{"a":"é","t":"test","v":1}'),
        ({"a": '"\\\n\x01\x7f€'}, '{"a":"\\"\\\\\\n\\u0001\x7f€","t":"test","v":1}'),
        ({"a": [1, [-2, ()]]}, '{"a":[1,[-2,[]]],"t":"test","v":1}'),
        ({"a": {"é": 1, "z": 2, "Z": 3}}, '{"a":{"Z":3,"z":2,"é":1},"t":"test","v":1}'),
        ({"a": 2**53 - 1}, '{"a":9007199254740991,"t":"test","v":1}'),
    ],
)
def test_known_vectors(content, text):
    assert encode(**content) == text.encode()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.5, "decimal_text"),
        (float("nan"), "decimal_text"),
        (None, "NoneType"),
        (b"x", "bytes"),
        ({1}, "set"),
        (2**53, "2^53"),
        (-(2**53), "2^53"),
        ("\ud800", "surrogate"),
        ({1: "a"}, "key 1 is not text"),
        ({"é": 1, "e\u0301": 2}, "twice"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_path(value, words):
    with pytest.raises(NotCanonical, match=r"\$\.data\.list\[1\]") as refusal:
        encode(data={"list": [0, value]})
    assert words in str(refusal.value)


@pytest.mark.parametrize("envelope", [{}, {"v": 1}, {"t": "x"}, {"v": True, "t": "x"}])
def test_version_and_type_must_be_inside(envelope):
    with pytest.raises(NotCanonical, match="version"):
        canonical.encode(envelope)


def test_64_kilobytes_are_the_limit():
    room = canonical.MAX_BYTES - len(encode(a=""))
    assert len(encode(a="x" * room)) == canonical.MAX_BYTES
    with pytest.raises(NotCanonical, match="record its digest"):
        encode(a="x" * (room + 1))


def test_endless_nesting_is_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(NotCanonical, match="nested deeper"):
        encode(a=loop)


def test_text_choices_become_their_text():
    class Colour(StrEnum):
        RED = "red"

    assert encode(a=Colour.RED) == encode(a="red")


@given(st.dictionaries(names.filter(lambda name: name not in ENVELOPE), values, max_size=5))
def test_every_permitted_value_reads_back_and_is_spelled_once(content):
    data = encode(**content)
    assert canonical.encode(canonical.decode(data)) == data
    backwards = dict(reversed(json.loads(data).items()))
    assert canonical.encode(backwards) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"v":1, "t":"x"}',
        b'{"t":"x","v":1}\n',
        b'{"v":1,"t":"x"}',
        b'{"t":"x","t":"x","v":1}',
        b'{"t":"\\u0078","v":1}',
        b'{"t":"x","v":1.0}',
        b'{"a":NaN,"t":"x","v":1}',
        b'{"t":"\\ud800","v":1}',
        b'{"t":"\xff","v":1}',
        b"[" * 100_000,
    ],
)
def test_other_spellings_are_not_read(data):
    with pytest.raises(NotCanonical):
        canonical.decode(data)
