"""What figures say, and whether it can be read."""

from __future__ import annotations

from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.text import Text


def texts(figure: Figure) -> list[Text]:
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text()
    ]


def assert_legible(figure: Figure) -> None:
    """All of its words are inside the picture, and no two on top of each other."""
    figure.canvas.draw()
    boxes = {text: text.get_window_extent() for text in texts(figure)}
    # ticks outside of the axes keep a text that is not drawn
    for axis in figure.axes:
        for ticks, (low, high) in (
            (axis.xaxis.get_major_ticks(), sorted(axis.get_xlim())),
            (axis.yaxis.get_major_ticks(), sorted(axis.get_ylim())),
        ):
            for tick in ticks:
                if not low <= tick.get_loc() <= high or not tick.label1.get_visible():
                    boxes.pop(tick.label1, None)
    for text, box in boxes.items():
        assert box.x0 >= -1 and box.y0 >= -1, text
        assert box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1, text
    for (one, box), (other, other_box) in combinations(boxes.items(), 2):
        assert box.shrunk(0.98, 0.8).overlaps(other_box.shrunk(0.98, 0.8)) == 0, (one, other)


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in texts(figure))
