"""Whose address a request comes from, through none, one or two proxies."""

import pytest
from django.http import HttpResponse

from config.middleware import ClientAddressMiddleware

PEER = "127.0.0.1"


@pytest.fixture
def address(rf, settings):
    """Return the address that a view sees: `address(hops, "1.2.3.4, 10.0.0.1")`."""

    def seen(hops, told=None):
        settings.PROXY_HOPS = hops
        headers = {} if told is None else {"x-forwarded-for": told}
        request = rf.get("/", headers=headers, REMOTE_ADDR=PEER)
        ClientAddressMiddleware(lambda _: HttpResponse())(request)
        return request.META["REMOTE_ADDR"]

    return seen


@pytest.mark.parametrize("told", [None, "203.0.113.7", "198.51.100.9, 203.0.113.7"])
def test_without_a_proxy_nobody_says_who_they_are(address, told):
    assert address(0, told) == PEER


@pytest.mark.parametrize(
    ("hops", "told", "seen"),
    [
        (1, "203.0.113.7", "203.0.113.7"),
        (2, "203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (1, "2001:db8::7", "2001:db8::7"),
    ],
)
def test_behind_proxies_the_caller_is_what_the_first_of_them_saw(address, hops, told, seen):
    assert address(hops, told) == seen


@pytest.mark.parametrize(("hops", "kept"), [(1, "203.0.113.7"), (2, "203.0.113.7, 10.0.0.1")])
def test_what_a_caller_claims_before_the_proxies_is_not_believed(address, hops, kept):
    assert address(hops, f"198.51.100.9, {kept}") == "203.0.113.7"


@pytest.mark.parametrize("told", [None, "", "unknown", "203.0.113.7, <b>", "203.0.113.7:99"])
def test_what_is_no_address_leaves_the_peer(address, told):
    assert address(1, told) == PEER


def test_a_header_shorter_than_the_proxies_leaves_the_peer(address):
    assert address(2, "203.0.113.7") == PEER
