"""Only registered events are recorded."""

import pytest

from ledger import registry
from ledger.errors import UnknownEvent


def test_a_registered_event_is_found_by_name():
    event = registry.register("test_thing.found", "Test thing found", checkpoint=True)
    assert registry.find("test_thing.found") is event
    assert registry.title("test_thing.found") == "Test thing found"
    assert event in registry.all_events()


def test_registering_again_is_harmless_but_not_with_another_meaning():
    registry.register("test_thing.kept", "Test thing kept")
    registry.register("test_thing.kept", "Test thing kept")
    with pytest.raises(ValueError, match="already registered as 'Test thing kept'"):
        registry.register("test_thing.kept", "Something else")


@pytest.mark.parametrize("name", ["made", "Thing.made", "a.b.c", "thing made", "a." + "b" * 60])
def test_names_are_noun_and_participle(name):
    with pytest.raises(ValueError, match=r"noun\.past_participle"):
        registry.register(name, "Wrong")


def test_an_unknown_event_raises_and_keeps_its_name_as_title():
    with pytest.raises(UnknownEvent) as refusal:
        registry.find("thing.forgotten")
    assert refusal.value.code == "unknown_event"
    assert registry.title("thing.forgotten") == "thing.forgotten"
