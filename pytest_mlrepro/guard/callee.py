"""What a frame is calling right now, told from its bytecode."""

from __future__ import annotations

import dis
from itertools import islice
from types import CodeType

_LOADS = (
    "LOAD_ATTR",
    "LOAD_METHOD",
    "LOAD_NAME",
    "LOAD_GLOBAL",
    "LOAD_FAST",
    "LOAD_DEREF",
    "LOAD_CLASSDEREF",
)


def callee(code: CodeType, lasti: int) -> str:
    """The last name of what is called: ``default_rng`` in ``np.random.default_rng()``; empty where it cannot be told.

    Functions of C leave no frame; where they were called is all there is to see of them. What loads the function
    begins where the whole call begins, and is the last to do so.

    Args:
        code: of the frame.
        lasti: offset in bytes of the instruction that it is at.
    """
    place = next(islice(code.co_positions(), lasti // 2, None), (None,) * 4)
    line, end_line, column, end = place
    if line is None or end_line is None or column is None or end is None:
        return ""
    name = ""
    for instruction in dis.get_instructions(code):
        if instruction.offset >= lasti:
            break
        own = instruction.positions
        if own is None or (own.lineno, own.col_offset) != (line, column):
            continue
        within = (own.end_lineno or 0, own.end_col_offset or 0) < (end_line, end)
        if within and instruction.opname.startswith(_LOADS):
            name = _name(instruction.argval)
    return name


def _name(argument: object) -> str:
    # Of two variables that one instruction loads the call begins with the first.
    return str(argument[0] if isinstance(argument, tuple) else argument)
