"""The change of a number: absolute and relative, never rounded to nothing."""

from __future__ import annotations

from decimal import Context, Decimal

# The digits that tell any two float64 apart; a share of that precision would be noise to a reader.
_DIGITS = 17
_DIGITS_OF_SHARE = 6


def change(before: object, now: object) -> str:
    """The difference of two numbers and its share of the old one: ``+0.01 (+1.06383 %)``.

    The shortest decimals that give the numbers back are subtracted, not the binary fractions: 0.94 to 0.95 is +0.01.

    Args:
        before, now: what a report holds as values.

    Returns:
        An empty text where one of them is no finite number, or they are equal.
    """
    numbers = _number(before), _number(now)
    if numbers[0] is None or numbers[1] is None:
        return ""
    exact = Context(prec=_DIGITS)
    apart = exact.subtract(numbers[1], numbers[0])
    if not apart:
        return ""
    if not numbers[0]:
        return _signed(apart)
    share = Context(prec=_DIGITS_OF_SHARE).divide(exact.multiply(apart, Decimal(100)), numbers[0].copy_abs())
    return f"{_signed(apart)} ({_signed(share)} %)"


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(repr(value))
    return number if number.is_finite() else None


def _signed(number: Decimal) -> str:
    """In positional notation where that is short, as floats are written."""
    short = number.normalize(Context(prec=_DIGITS))
    return f"{short:+f}" if -5 <= short.adjusted() < 16 else f"{short:+e}"
