"""Draw on figures of one look, and turn them into SVG that is the same bytes every time."""

import hashlib
import io
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Dark tones on a white card of the picture's own: no single colour of text reaches a contrast of
# 4.5 to 1 on light and dark pages alike, and a picture shown as an image cannot ask for the theme.
CARD, INK, LINES = "#ffffff", "#39414d", "#c9ced6"
BLUE, ORANGE, GREEN, RED, GREY = "#1f5fa8", "#b3540a", "#1b7a45", "#b5302c", "#6b7482"
SERIES = (BLUE, ORANGE, GREEN, RED, GREY)
PALE_BLUE, PALE_ORANGE = "#9dbfe3", "#efb683"
WIDTH, HEIGHT = 7.2, 3.8
NARROW = 4.3  # inches; the same letters on a picture for phones
PADDING = {"w_pad": 0.12, "h_pad": 0.12}  # inches around the drawing
FONTS = "system-ui, sans-serif"
ROOT = 'stroke-linejoin="round" stroke-linecap="butt"'  # matplotlib says it in a style element

STYLE: Mapping[str, Any] = {
    "svg.hashsalt": "countersign",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINES,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": CARD,
    "axes.facecolor": CARD,
    "savefig.facecolor": CARD,
}


@dataclass(frozen=True)
class Picture:
    """A chart for people and the same numbers for everyone: `table` holds one dict per row."""

    title: str
    description: str
    svg: bytes
    table: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Caption:
    """What a chart shows and what it says, read aloud in place of the picture."""

    title: str
    description: str


# The style is state of the whole process, so two threads that draw at once would mix theirs up.
_drawing = threading.RLock()


@contextmanager
def canvas(*, height: float = HEIGHT, width: float = WIDTH) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure with one pair of axes in the house style; drawing must end inside the block.

    Only one thread draws at a time.
    """
    with _drawing, mpl.rc_context(dict(STYLE)):
        figure = Figure(figsize=(width, height), layout="constrained")
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.set(**PADDING)
        axes = figure.add_subplot()
        yield figure, axes


def finish(figure: Figure, caption: Caption, table: Sequence[Mapping[str, Any]]) -> Picture:
    """Return the drawn figure as a picture; call it inside the `canvas` block.

    The bytes depend on the numbers only: fixed ids, no date, no version of the library.
    """
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="svg",
        metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
    )
    svg = _embeddable(buffer.getvalue().decode(), caption)
    return Picture(caption.title, caption.description, svg.encode(), [dict(row) for row in table])


def _embeddable(svg: str, caption: Caption) -> str:
    """Make the picture fit to be an image or a part of a page, whatever policy guards the page.

    Styles become attributes, which a strict Content-Security-Policy lets pass; ids are made unique
    to the picture; title and description come first, where screen readers look for them.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"\s*<(metadata|style)\b.*?</\1>", "", body, flags=re.DOTALL)
    body = re.sub(r'style="([^"]*)"', _attributes, body)
    mark = "c" + hashlib.sha256(body.encode() + repr(caption).encode()).hexdigest()[:8]
    body = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{mark}-", body)
    opening, rest = body.split(">", 1)
    label = f'role="img" aria-labelledby="{mark}-title {mark}-desc"'
    words = (
        f'<title id="{mark}-title">{escape(caption.title)}</title>'
        f'<desc id="{mark}-desc">{escape(caption.description)}</desc>'
    )
    return f"{opening} {ROOT} {label}>\n {words}{rest}"


def _attributes(style: re.Match[str]) -> str:
    """Write `fill: none; stroke: red` as `fill="none" stroke="red"`."""
    pairs = (part.split(":", 1) for part in style[1].split(";") if part.strip())
    written = {name.strip(): value.strip().replace("'", "") for name, value in pairs}
    if "font-family" in written:
        written["font-family"] = FONTS
    return " ".join(f'{name}="{value}"' for name, value in written.items())
