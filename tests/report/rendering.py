"""Markdown as a real renderer shows it: which elements there are, and the text in every cell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt


@dataclass
class Rendered:
    """A rendered document.

    Attributes:
        elements: how many there are of each kind.
        attributes: all of them, with their values.
        tables: rows of texts of cells, the row of the columns' names first.
        items: the texts of bullets.
        blocks: the texts of blocks of code.
        paragraphs: their texts.
        summaries: what can be unfolded.
    """

    elements: Counter = field(default_factory=Counter)
    attributes: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    items: list = field(default_factory=list)
    blocks: list = field(default_factory=list)
    paragraphs: list = field(default_factory=list)
    summaries: list = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = Rendered()
        self.texts = []
        self.declared = []

    def handle_starttag(self, tag, attrs):
        self.found.elements[tag] += 1
        self.found.attributes += attrs
        if tag == "table":
            self.found.tables.append([])
        elif tag == "tr":
            self.found.tables[-1].append([])
        elif tag == "br":
            self.handle_data("\n")
        if tag != "br":
            self.texts.append("")

    def handle_endtag(self, tag):
        text = self.texts.pop()
        if tag in ("td", "th"):
            self.found.tables[-1][-1].append(text)
        kept = {"li": "items", "pre": "blocks", "p": "paragraphs", "summary": "summaries"}
        if tag in kept:
            getattr(self.found, kept[tag]).append(text)
        if tag in ("code", "strong", "em", "a", "p") and self.texts:
            self.texts[-1] += text

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data

    def handle_comment(self, data):
        self.found.elements["comment"] += 1

    def handle_decl(self, decl):
        self.found.elements["declaration"] += 1

    def handle_pi(self, data):
        self.found.elements["instruction"] += 1


def _markdown_it(source):
    # Tables, strikethrough and links without brackets, as on GitHub; raw HTML is let through, to be seen.
    return MarkdownIt("gfm-like", {"html": True}).render(source)


def _github(source):
    """What GitHub itself renders with."""
    import cmarkgfm
    from cmarkgfm.cmark import Options

    return cmarkgfm.github_flavored_markdown_to_html(source, Options.CMARK_OPT_UNSAFE)


def renderers():
    """The renderers that are installed; GitHub's own needs cmarkgfm."""
    try:
        import cmarkgfm  # noqa: F401
    except ImportError:
        return [_markdown_it]
    return [_markdown_it, _github]


RENDERERS = renderers()


def rendered(source, render=_markdown_it):
    reader = _Reader()
    reader.feed(render(source))
    reader.close()
    return reader.found
