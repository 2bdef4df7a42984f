"""How numbers are put into words: one rule each, shared by sentences, tables and figures."""

from __future__ import annotations

import math
import re

MINUS = "\N{MINUS SIGN}"


def places(*values: float) -> int:
    """Decimal places that show a group of numbers without false precision.

    Parameters
    ----------
    *values : float
        Numbers that stand together, for example a difference and both ends of its interval.

    Returns
    -------
    int
        Decimal places for all of them, set by the largest.
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0 or largest >= 100:
        return 0
    if largest >= 1:
        return 1
    if largest >= 0.1:
        return 2
    return 3 if largest >= 0.01 else 4


def number(value: float | None, decimals: int | None = None, signed: bool = False) -> str:
    """A number with thousands separators and a true minus sign; "not available" where there is none.

    Examples
    --------
    >>> number(21915.3)
    '21,915'
    >>> number(-0.034, 2, signed=True)
    '−0.03'
    >>> number(0.02, 1, signed=True)
    '0.0'
    """
    if value is None or not math.isfinite(value):
        return "not available"
    decimals = places(value) if decimals is None else decimals
    text = f"{abs(value):,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    if value < 0:
        return MINUS + text
    return "+" + text if signed else text


def percent(value: float | None, decimals: int | None = None, signed: bool = False) -> str:
    """A number followed by a percent sign; `value` is already in percent."""
    text = number(value, decimals, signed)
    return text if text == "not available" else text + "%"


def is_share(unit: str) -> bool:
    """Whether a unit is a percentage, so that differences are in percentage points."""
    return unit.startswith("%")


def with_unit(value: float | None, unit: str, decimals: int | None = None) -> str:
    """A level with its unit, for example ``22.4%`` or ``21,915 recalls a year``."""
    if value is None or not math.isfinite(value):
        return "not available"
    if is_share(unit):
        return percent(value, decimals)
    return f"{number(value, decimals)} {unit}"


def difference_unit(unit: str) -> str:
    """Unit of a difference: percentage points for a percentage, else the unit itself."""
    return "percentage points" if is_share(unit) else unit


def spelled(count: int) -> str:
    """A whole number, in words below ten."""
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[count] if 0 <= count < len(words) else f"{count:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A whole number with its noun; numbers below ten are spelled out.

    Examples
    --------
    >>> counted(1, "run"), counted(5, "run"), counted(12, "run")
    ('one run', 'five runs', '12 runs')
    """
    figure = "no" if count == 0 else spelled(count)
    return f"{figure} {one if count == 1 else (many or one + 's')}"


def listed(items: list[str]) -> str:
    """Items joined as in a sentence.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def sentence_case(text: str) -> str:
    """The text with its first letter in capitals and the rest untouched."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """The text with a small first letter, unless its first word is an abbreviation such as NPS."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def at_most_words(text: str, words: int) -> str:
    """The text cut to a number of words, with an ellipsis where it was cut."""
    parts = text.split()
    if len(parts) <= words:
        return " ".join(parts)
    return " ".join(parts[:words]).rstrip(",;:") + "…"


def shorter(text: str, characters: int) -> str:
    """The text cut at a word to a number of characters, with an ellipsis where it was cut."""
    text = " ".join(text.split())
    if len(text) <= characters:
        return text
    cut = text[: characters - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(",;:") + "…"


def slug(text: str) -> str:
    """Text fit for a file name or an element's id: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "item"
