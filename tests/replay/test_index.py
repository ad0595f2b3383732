"""What uv is asked for: the releases between two versions, and whether versions go together."""

from __future__ import annotations

import pytest
from stories.environments import wheel

from pytest_mlrepro.errors import MissingExtraError, ReplayError
from pytest_mlrepro.replay import Index, uv

pytestmark = pytest.mark.skipif(uv.find() is None, reason="uv is not installed")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index that is a folder of wheels."""
    folder = tmp_path / "wheels"
    for version in ("1.0", "1.1", "1.2.post1", "1.9", "1.10", "2.0rc1", "2.0"):
        wheel(folder, "bellows", version)
    wheel(folder, "reed", "1.0", requires=["bellows>=1.9"])
    for name, value in {
        "UV_FIND_LINKS": str(folder),
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    return Index(tmp_path)


def test_releases_between_two(index):
    assert index.releases("bellows", "1.0", "2.0") == ("1.1", "1.2.post1", "1.9", "1.10")
    assert index.releases("bellows", "1.9+local", "1.10") == ()


def test_versions_that_go_together_and_not(index):
    assert index.clash(["bellows==1.9", "reed==1.0"]) == ""
    assert "depend on bellows>=1.9" in index.clash(["bellows==1.1", "reed==1.0"])


@pytest.mark.parametrize(
    "settings",
    [
        {
            "UV_FIND_LINKS": "https://user:secret@127.0.0.1:9/wheels",
            "UV_OFFLINE": "0",
            "UV_HTTP_RETRIES": "0",
        },
        {"UV_FIND_LINKS": ""},
    ],
)
def test_an_index_that_cannot_be_asked(index, monkeypatch, settings):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("UV_NO_INDEX" if not settings["UV_FIND_LINKS"] else "UV_INDEX", raising=False)
    with pytest.raises(ReplayError, match="uv could not ask for versions") as caught:
        index.releases("bellows", "1.0", "2.0")
    assert "secret" not in str(caught.value)


def test_without_uv(index, monkeypatch):
    monkeypatch.setattr(uv, "find", lambda: None)
    with pytest.raises(MissingExtraError) as caught:
        index.clash([])
    assert caught.value.remedy == "pip install 'pytest-mlrepro[replay]'"


def test_a_question_that_takes_too_long(index):
    with pytest.raises(ReplayError, match="uv has not answered in 1e-05 seconds"):
        Index(index.folder, seconds=1e-5).clash([])
