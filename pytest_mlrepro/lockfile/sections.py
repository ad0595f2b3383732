"""Cut the text of a lockfile into parts that can be read one by one.

What ``dumps`` writes is a row of blocks between empty lines, those of a subject next to each other: a section. A part
that is valid TOML by itself leaves no string or array open, and a section begins with the header of a table. So what
follows a part means the same whether the part stands there or not: as long as each part is valid by itself and no two
of them name the same key at the top, the parts say what the whole says. Where that does not hold, the whole is to be
read.
"""

from __future__ import annotations

import re

BETWEEN = "\n\n"
"""What stands between two blocks."""

# The beginning of each block; of one that begins with a header, that with its first key.
_BEGINNING = re.compile(BETWEEN + r'(\[(?:"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|[\w-]++)[.\]])?', re.ASCII)


def cut(text: str) -> tuple[str, list[str]]:
    """What stands before the first header, and a text for the blocks of each subject that stand together.

    Blocks that begin with no header belong to what stands before them. Put together again with ``BETWEEN``, the parts
    are the text without its last line end, below an empty block where it begins with a header.
    """
    text = text.removesuffix("\n")
    current, start = "", 0
    blocks = text.split(BETWEEN)
    parts = []
    for place, key in enumerate(_BEGINNING.findall(BETWEEN + text)):
        if key and key[:-1] != current:
            parts.append(blocks[start] if place == start + 1 else BETWEEN.join(blocks[start:place]))
            current, start = key[:-1], place
    parts.append(BETWEEN.join(blocks[start:]))
    return parts[0], parts[1:]
