"""The signing key is a private file, made once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from ledger import keys
from ledger.checks import check_anchors, check_key_file


def test_the_key_is_made_on_first_use_and_only_its_owner_may_read_it():
    path = Path(settings.LEDGER_KEY_FILE)
    assert not path.exists()
    first = keys.verifier()
    assert keys.verifier() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_many_at_once_make_one_key():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: str(keys.verifier()), range(32)))
    assert len(set(made)) == 1


def test_a_file_with_another_kind_of_key_is_refused():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    path = Path(settings.LEDGER_KEY_FILE)
    path.parent.mkdir(parents=True)
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    path.write_bytes(
        X25519PrivateKey.generate().private_bytes(*encoding, serialization.NoEncryption())
    )
    with pytest.raises(TypeError, match="no Ed25519 key"):
        keys.verifier()


def test_a_readable_key_is_warned_of():
    keys.verifier()
    assert check_key_file() == []
    Path(settings.LEDGER_KEY_FILE).chmod(0o644)
    assert [message.id for message in check_key_file()] == ["ledger.W001"]


def test_an_anchor_that_cannot_be_imported_is_refused(settings):
    assert check_anchors() == []
    settings.LEDGER_ANCHORS = ["nowhere.to_be_found"]
    assert [message.id for message in check_anchors()] == ["ledger.E003"]
