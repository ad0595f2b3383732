"""Installed distributions made by hand, as an installer lays them out."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Site:
    """A folder of installed distributions."""

    folder: Path

    def install(self, name, version, files=(), *, requires=(), about=None, record=True, **more):
        """Write a distribution: ``files`` are its modules, ``about`` its direct_url.json."""
        info = self.folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        header = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
        (info / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(header) + "\n\nText\n")
        for file in files:
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        if record:
            lines = [*files, f"{info.name}/METADATA", f"{info.name}/RECORD"]
            (info / "RECORD").write_text("".join(f"{line},,\n" for line in lines))
        if about is not None:
            (info / "direct_url.json").write_text(json.dumps(about))
        for file, text in more.items():
            (info / file.replace("_txt", ".txt")).write_text(text)
        return info


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return Site(folder)
