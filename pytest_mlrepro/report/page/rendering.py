"""From the report and the histories to the text of a page.

Nothing that was recorded is ever markup: the template escapes every text, names of tests and facts are in no address,
style or script, and the page's own policy lets nothing run, or be loaded, but the two blocks that belong to it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.model import SESSION
from pytest_mlrepro.report.cells import shown, told_sites
from pytest_mlrepro.report.changes import change
from pytest_mlrepro.report.gfm import cut
from pytest_mlrepro.report.page.anchors import Anchors, address
from pytest_mlrepro.report.page.cards import card, ordered
from pytest_mlrepro.report.page.history import NO_HISTORY, Histories
from pytest_mlrepro.report.page.metrics import measured, metrics
from pytest_mlrepro.report.page.overview import overview
from pytest_mlrepro.report.page.tables import sites, subjects, surroundings
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.visible import visible

if TYPE_CHECKING:
    from jinja2 import Environment

_MOST_DRIFTS = 300
_MOST_PICTURES = 100
_MOST_METRICS = 200
_MOST_ROWS = 500
_MOST_LETTERS = 2000


def written(document: Mapping[str, Any], histories: Histories = NO_HISTORY) -> str:
    """The report as the text of an HTML file; the same for the same input.

    Args:
        document: as ``machine.document`` makes it.
        histories: what the metrics were at earlier commits.
    """
    known = {(plain(subject), plain(fact)): points for (subject, fact), points in histories.items()}
    environment = _environment()
    style, script = _asset("page.css"), _asset("page.js")
    return environment.get_template("page.html").render(
        style=_trusted(style),
        script=_trusted(script),
        policy=_policy(style, script),
        **_views(document, known),
    )


def _views(document: Mapping[str, Any], histories: Histories) -> dict[str, Any]:
    drifts = ordered(document)[:_MOST_DRIFTS]
    chosen = measured(document, histories)
    anchors = Anchors(
        {address(each): f"drift-{index}" for index, each in enumerate(drifts, 1)},
        {place: f"metric-{index}" for index, place in enumerate(chosen[:_MOST_METRICS], 1)},
    )
    seen = sites(document)
    told = told_sites(site for site, _ in seen)
    cards = [card(each, told, anchors, drawn=index < _MOST_PICTURES) for index, each in enumerate(drifts)]
    drawn = list(metrics(document, chosen[:_MOST_METRICS], histories, anchors))
    return {
        "document": document,
        "alone": document["mode"] == "accepted",
        "overview": overview(document, cards),
        "cards": [each for each in cards if each.outcome != "noted"],
        "notes": [each for each in cards if each.outcome == "noted" and each.subject != SESSION],
        "strange": [each for each in cards if each.subject == SESSION],
        "drifts_left_out": len(ordered(document)) - len(drifts),
        "moved": [each for each in drawn if each.rung == "drift"],
        "steady": [each for each in drawn if each.rung != "drift"],
        "metrics_left_out": max(len(chosen) - _MOST_METRICS, 0),
        "lacking": _lacking(document),
        "subjects": list(subjects(document, anchors)),
        "environment": surroundings(document, anchors),
        "sites": seen,
        "most": _MOST_ROWS,
        "session": SESSION,
        "shown": shown,
        "change": change,
    }


def _lacking(document: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(each["subject"] for each in document["drifts"] if each["outcome"] == "new"))


def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        autoescape=True,
        finalize=_plain,
        keep_trailing_newline=True,
        loader=FunctionLoader(_asset),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )


def _plain(value: Any) -> Any:
    """What stands in the page for an expression: texts on one line, control characters made visible, not endless."""
    # Markup, a subclass, is what the template's own macros give.
    return cut(visible(value), _MOST_LETTERS) if type(value) is str else value


def _trusted(asset: str) -> Any:
    """A file of ours, which is not to be escaped."""
    from markupsafe import Markup

    return Markup(asset)  # noqa: S704 - no part of it comes from a report


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """The page's Content-Security-Policy: nothing may be loaded, and nothing run but what is named by its hash."""
    hashes = map(_hash, (style, script))
    return (
        "default-src 'none'; img-src data:; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'"
    ).format(*hashes)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
