"""Markdown that people write, as HTML that can do no harm, with the people it mentions."""

import re
from collections.abc import Collection, Iterator
from functools import cache

import nh3
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

#: What a user name may hold; a full stop at the end closes the sentence, not the name.
_MENTION = re.compile(r"(?<![\w.@+-])@([\w.@+-]+)")
_TAGS = frozenset(
    {
        "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
        "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    }
)  # fmt: skip


def render(text: str, *, mentioned: Collection[str] = ()) -> SafeString:
    """Return the text as HTML; the names in `mentioned` stand out, and pictures are left out."""
    parser = _parser()
    tokens = parser.parse(text)
    for child in _texts(tokens):
        if names := list(_names_in(child.content, mentioned)):
            child.type = "html_inline"
            child.content = _marked(child.content, names)
    for token in tokens:
        # The page has its own first two levels of headings.
        if token.tag in {"h1", "h2"}:
            token.tag = "h3"
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={"a": {"href", "title"}},
        allowed_classes={"strong": {"mention"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308 - nh3 has just cleaned it


def mentions_in(text: str, known: Collection[str]) -> list[str]:
    """Return the known user names that the text mentions with @, outside of code, once each."""
    found = (
        name
        for child in _texts(_parser().parse(text))
        for _, name in _names_in(child.content, known)
    )
    return list(dict.fromkeys(found))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
        ["table", "strikethrough"]
    )


def _texts(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from (child for child in token.children or () if child.type == "text")


def _names_in(text: str, known: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield where a known name is mentioned; of `@sam.` and `@sam` both are sam."""
    for found in _MENTION.finditer(text):
        name = found.group(1)
        while name and name not in known and name[-1] in ".@+-":
            name = name[:-1]
        if name in known:
            yield found.start(), name


def _marked(text: str, names: list[tuple[int, str]]) -> str:
    parts: list[str] = []
    end = 0
    for start, name in names:
        parts.append(conditional_escape(text[end:start]))
        parts.append(f'<strong class="mention">@{conditional_escape(name)}</strong>')
        end = start + 1 + len(name)
    return "".join([*parts, conditional_escape(text[end:])])
