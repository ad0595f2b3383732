"""Texts that Markdown, HTML, a terminal or a file of UTF-8 could take for something else."""

from __future__ import annotations

from hypothesis import strategies as st

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "a|b",
    r"a\|b",
    r"a\\|b\\",
    "```",
    "`",
    " ` ",
    "``a`",
    "  both  ends  ",
    " ",
    "",
    "a\nb\r\n\n| c |",
    "@somebody and @org/team",
    "#12, GH-12, org/repo#12",
    "https://example.com www.example.com example.com",
    "a@example.com",
    "[text](javascript:alert(1)) ![image](x) <https://example.com>",
    "**bold** _em_ ~~gone~~ $x$ :smile: &lt; &#124;",
    "<!-- comment --> <![CDATA[ x ]]> <?php ?>",
    "</details><summary>",
    "\x00\x1b[31mred\x7f\x85\u2028\u202e",
    "\ud800\udce9",
    "deadbeefdeadbeef",
    "--- | ---",
    "- a",
    "# a",
    "\\",
    "x" * 500,
)
ODD = st.text(st.sampled_from("`|\\ <>&@#*_[]()!~$:;.-/'\"\n\t\x00\x1b\u2028\ud800aw1"), max_size=24)
TEXTS = st.one_of(ODD, st.text(max_size=12), st.lists(st.sampled_from(HOSTILE), max_size=3).map(" ".join))
