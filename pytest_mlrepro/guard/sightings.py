"""What the guard has seen in a whole run: each site once, with the tests that came by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_mlrepro.guard.site import Site

_MOST = 20


class Sightings:
    """Gathers sites by subject, in one process or from many."""

    def __init__(self) -> None:
        self._found: dict[Site, tuple[int, set[str]]] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, subject: str, sites: Iterable[Site]) -> None:
        """Take the sites of a subject."""
        for site in sites:
            self._add(site, {subject})

    def _add(self, site: Site, subjects: set[str]) -> None:
        key = replace(site, count=0)
        count, known = self._found.get(key, (0, set()))
        self._found[key] = (count + site.count, known | subjects)

    def of(self, *subjects: str) -> tuple[Site, ...]:
        """The sites that these subjects came by, by place."""
        wanted = set(subjects)
        return tuple(site for site in self.sites() if wanted & self.subjects(site))

    def subjects(self, site: Site) -> frozenset[str]:
        """The subjects that came by a site."""
        return frozenset(self._found[replace(site, count=0)][1])

    def sites(self) -> tuple[Site, ...]:
        """Each site once, by place, with the number of its uses in all subjects."""
        found = [replace(site, count=count) for site, (count, _) in self._found.items()]
        return tuple(sorted(found, key=lambda site: (site.file, site.line, site.call)))

    def to_json(self) -> str:
        """As text, for another process."""
        return json.dumps(
            [
                [sorted(subjects), replace(site, count=count).plain()]
                for site, (count, subjects) in self._found.items()
            ]
        )

    def update_from_json(self, text: str) -> None:
        """Take what another process has seen."""
        from pytest_mlrepro.guard.site import Site

        for subjects, raw in json.loads(text):
            self._add(Site.of(raw), set(subjects))

    def lines(self) -> Iterator[str]:
        """The paragraph of the summary: a line a site."""
        for site in self.sites()[:_MOST]:
            count = len(self.subjects(site))
            where = f"in {count} test{'s' if count > 1 else ''}"
            if site.pinned:
                yield f"pinned randomness: {site}, {where}"
            else:
                yield f"unpinned randomness: {site}, {where}; {site.remedy}"
        if (left := len(self._found) - _MOST) > 0:
            yield f"and {left} more sites of unpinned randomness"
