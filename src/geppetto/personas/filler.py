"""Neutral text of a given token length, to separate a persona's content from its mere presence."""

from __future__ import annotations

from collections.abc import Callable

from geppetto._util.errors import GeppettoError

PASSAGE = (
    "Rivers carry water from high ground to the sea. Rain that falls on a hill runs down in "
    "small streams, and the streams meet to form larger ones. Where the slope is steep, the "
    "water moves fast and cuts a narrow valley. Where the land is flat, it slows and spreads, "
    "and the sand it carried settles on the bed. A bend in the channel grows over time, since "
    "the water on the outer side is faster and takes soil away, while the inner side gains "
    "new ground. In spring the snow melts and the level rises. In late summer it falls, and "
    "stones appear near the banks. Bridges are built where the channel is narrow and the "
    "ground is firm. Maps show rivers as blue lines, drawn thicker toward the mouth. The "
    "length of a river is measured along its middle, from the source to the point where it "
    "meets the sea, a lake or another river. The amount of water that passes a point in one "
    "second is called the discharge, and it is read from a gauge at the bank."
)
_SHORT_WORDS = ("and", "the", "of", "a", "in", "to", "it", "is")


def filler(text: str, count: Callable[[str], int]) -> str:
    """The beginning of a neutral passage, repeated if need be, as long as a text.

    The two are as long if prompts in which they stand `count` the same number of tokens. A
    GeppettoError is raised if no filler of that length is found.
    """
    tokens = count(text)
    words = PASSAGE.split()
    while count(" ".join(words)) < tokens:
        words += PASSAGE.split()
    fewest, most = 0, len(words)
    while most - fewest > 1:
        middle = (fewest + most) // 2
        if count(" ".join(words[:middle])) <= tokens:
            fewest = middle
        else:
            most = middle
    for cut in range(fewest, max(fewest - 4, 0), -1):
        beginning = " ".join(words[:cut])
        for word in ("", *_SHORT_WORDS):
            padded = beginning
            while word and count(padded) < tokens:
                padded += f" {word}"
            if count(padded) == tokens:
                return padded
    raise GeppettoError(
        f"no neutral text with exactly as many tokens as {text[:60]!r} was found; leave out the "
        "arm filler, or make the persona longer"
    )
