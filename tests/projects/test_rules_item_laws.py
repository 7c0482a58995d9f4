"""Laws of time boxes, of dependencies and of what people write."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects import markdown
from projects.rules.dependencies import would_close_a_cycle
from projects.rules.file_types import WrongFile, type_of
from projects.rules.time_boxes import NoExtension, extended_end, first_end, is_over, time_left

HOURS = st.integers(1, 2000)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TIMES = st.timedeltas(timedelta(0), timedelta(days=3650)).map(lambda passed: START + passed)


@given(TIMES, HOURS, st.timedeltas(timedelta(0), timedelta(days=400)), HOURS)
def test_no_box_ends_before_it_began_and_extending_never_takes_time_away(start, hours, later, more):
    end, now = first_end(start, hours), start + later
    assert end > start
    longer = extended_end(end, now, hours=min(more, hours), allowed_hours=hours)
    assert longer > end
    assert longer > now
    assert not is_over(longer, now)


@given(TIMES, HOURS, TIMES, TIMES)
def test_what_is_over_stays_over(start, hours, one, other):
    end, early, late = first_end(start, hours), min(one, other), max(one, other)
    assert is_over(end, late) or not is_over(end, early)


@pytest.mark.parametrize("hours", [0, -3, 17])
def test_extension_is_no_longer_than_the_box(hours):
    with pytest.raises(NoExtension) as refusal:
        extended_end(START, START, hours=hours, allowed_hours=16)
    assert refusal.value.code == "extension_too_long"


def test_box_that_never_started_is_not_over():
    assert not is_over(None, START)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (60 * 26, "1 day 2 hours left"),
        (61, "1 hour 1 minute left"),
        (0.5, "less than a minute left"),
        (-120, "over for 2 hours"),
    ],
)
def test_time_left_in_words(minutes, words):
    assert time_left(START + timedelta(minutes=minutes), START) == words


PAIRS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40)


@given(PAIRS)
def test_graph_that_only_grows_by_what_is_allowed_stays_without_cycles(pairs):
    edges: set[tuple[int, int]] = set()
    for waiting, awaited in pairs:
        if not would_close_a_cycle(edges, waiting, awaited):
            edges.add((waiting, awaited))
    remaining = dict.fromkeys(range(8))
    while remaining:
        free = [
            node for node in remaining
            if not any(a == node and b in remaining for a, b in edges)
        ]  # fmt: skip
        assert free, "a cycle keeps every remaining item waiting"
        for node in free:
            del remaining[node]


@given(PAIRS)
def test_only_what_would_close_a_cycle_is_refused(pairs):
    edges: set[tuple[int, int]] = set()
    for waiting, awaited in pairs:
        if would_close_a_cycle(edges, waiting, awaited):
            assert waiting == awaited or _leads(edges, awaited, waiting)
        else:
            edges.add((waiting, awaited))


def _leads(edges, start, goal):
    seen, ahead = set(), {start}
    while ahead:
        seen |= ahead
        ahead = {b for a, b in edges if a in ahead} - seen
    return goal in seen


def test_markdown_is_rendered_and_known_people_stand_out():
    html = markdown.render("**Look**, @sam. Not `@mia`, not @nobody.", mentioned=["sam", "mia"])
    assert "<strong>Look</strong>" in html
    assert '<strong class="mention">@sam</strong>.' in html
    assert "<code>@mia</code>" in html
    assert "@nobody" in html
    assert html.count("mention") == 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@sam", ["sam"]),
        ("ask @sam. And @sam, @mia!", ["sam", "mia"]),
        ("sam@sam", []),
        ("```\n@sam\n```", []),
        ("@sam.jones", ["sam.jones"]),
        ("@samuel", []),
        ("a **@sam** b", ["sam"]),
    ],
)
def test_mentions(text, names):
    assert markdown.mentions_in(text, {"sam", "mia", "sam.jones"}) == names


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](http://elsewhere.test/spy.png)",
        '<a href="http://x" onclick="x()">x</a>',
        "@sam<script>",
    ],
)
def test_what_people_write_does_no_harm(text):
    html = markdown.render(text, mentioned=["sam"])
    tags = re.findall(r"<\s*([a-z]+)([^>]*)>", html)
    assert not {name for name, _ in tags} & {"script", "img", "iframe", "style"}
    assert not re.search(r"<[^>]*\bon\w+=", html)
    assert 'href="javascript' not in html


@given(st.text())
def test_any_text_is_rendered_without_a_tag_that_can_act(text):
    html = markdown.render(text, mentioned=["sam"])
    assert not re.search(r"<(script|img|iframe|style|object|svg)", html)


PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
DOCX = b"PK\x03\x04....[Content_Types].xml....word/document.xml"


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("plot.png", PNG, "image/png"),
        ("PLOT.PNG", PNG, "image/png"),
        ("a.pdf", b"%PDF-1.7 x", "application/pdf"),
        ("a.csv", "a,b\n1,ä\n".encode(), "text/csv"),
        ("a.md", b"# A", "text/markdown"),
        ("a.json", b'{"a": 1}', "application/json"),
        ("a.ipynb", b'{"cells": []}', "application/x-ipynb+json"),
        ("a.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_file_of_a_known_type_is_taken(name, data, media_type):
    assert type_of(name, data) == media_type


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("plot.png", b"<html>", "file_is_not_what_it_says"),
        ("a.pdf", PNG, "file_is_not_what_it_says"),
        ("a.csv", b"a\x00b", "file_is_not_what_it_says"),
        ("a.csv", b"\xff\xfe", "file_is_not_what_it_says"),
        ("a.json", b"{", "file_is_not_what_it_says"),
        ("a.json", b"[" * 100_000, "file_is_not_what_it_says"),
        ("a.ipynb", b"[]", "file_is_not_what_it_says"),
        ("a.xlsx", DOCX, "file_is_not_what_it_says"),
        ("a.svg", b"<svg/>", "file_type_not_allowed"),
        ("a.html", b"<html>", "file_type_not_allowed"),
        ("a.exe", b"MZ", "file_type_not_allowed"),
        ("png", PNG, "file_type_not_allowed"),
        ("a.png.html", PNG, "file_type_not_allowed"),
    ],
)
def test_file_of_another_type_is_refused(name, data, code):
    with pytest.raises(WrongFile) as refusal:
        type_of(name, data)
    assert refusal.value.code == code
