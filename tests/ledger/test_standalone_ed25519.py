"""The verifier's own Ed25519 against RFC 8032 and against a proven library."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.standalone.verify import (
    BASE,
    NEUTRAL,
    ORDER,
    add_points,
    decode_point,
    ed25519_verify,
    encode_point,
)

# RFC 8032 section 7.1, TEST 1 to 3: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
            "1cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
            "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
            "984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


def library_verify(public, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS)
def test_published_vectors(vector):
    public, message, signature = (bytes.fromhex(text) for text in vector)
    assert ed25519_verify(public, signature, message)
    assert not ed25519_verify(public, signature, message + b"x")


@settings(max_examples=60, deadline=None)
@given(
    secret=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=200),
    position=st.integers(0, 63),
    flip=st.integers(1, 255),
)
def test_it_agrees_with_the_library_on_random_keys(secret, message, position, flip):
    private = Ed25519PrivateKey.from_private_bytes(secret)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ed25519_verify(public, signature, message)
    wrong = bytearray(signature)
    wrong[position] ^= flip
    assert not ed25519_verify(public, bytes(wrong), message)
    assert not library_verify(public, bytes(wrong), message)
    assert not ed25519_verify(public, signature, message + b"\0")
    other = bytearray(public)
    other[position % 32] ^= flip
    assert not ed25519_verify(bytes(other), signature, message)


def test_a_signature_with_a_larger_scalar_is_refused():
    """S + L gives the same point; accepting it would make signatures malleable."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"m")
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    malleable = signature[:32] + scalar.to_bytes(32, "little")
    assert not ed25519_verify(public, malleable, b"m")


@pytest.mark.parametrize(
    ("public", "signature"),
    [(b"", bytes(64)), (bytes(31), bytes(64)), (bytes(32), bytes(63)), (b"\xff" * 32, bytes(64))],
)
def test_wrong_sizes_and_points_off_the_curve_are_refused(public, signature):
    assert not ed25519_verify(public, signature, b"")


def test_points_follow_the_group_law():
    assert decode_point(encode_point(BASE)) is not None
    assert encode_point(add_points(BASE, NEUTRAL)) == encode_point(BASE)
    result, power = NEUTRAL, BASE
    for bit in range(ORDER.bit_length()):
        if ORDER >> bit & 1:
            result = add_points(result, power)
        power = add_points(power, power)
    assert encode_point(result) == encode_point(NEUTRAL)
