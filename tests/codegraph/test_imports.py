"""What a file imports is found without reading it to its end, and is the same as if it had been."""

from __future__ import annotations

import pytest

from pytest_mlrepro.codegraph import module
from pytest_mlrepro.codegraph.module import read_imports, read_module
from pytest_mlrepro.errors import RecordingError

TESTS = "".join(f"\n\ndef test_{number}():\n    assert {number}\n" for number in range(20))
SOURCES = {
    "at the top": f"import numpy as np\nfrom a.b import c{TESTS}",
    "none": f"X = 1{TESTS}",
    "in the last function": f"import a{TESTS}\n\ndef last():\n    import b.c\n    from d import e\n    return b\n",
    "guarded": f"try:\n    import a\nexcept ImportError:\n    a = None\nelse:\n    b = 1{TESTS}",
    "one of two branches": f"if True:\n    import a\nelse:\n    b = 1\nX = 2{TESTS}",
    "in brackets": f"from a import (\n    b,\nc,\n){TESTS}",
    "the word in a text": f'import a\nTEXT = """how to import\nit is said\n"""{TESTS}',
    "the word in a text that ends the file": f'import a{TESTS}\nTEXT = """\nimport b\n"""\n',
    "the word in a list": f"import a\nX = [\n'import b',\nc\n]{TESTS}",
    "the word in a comment": f"import a  # import b\n# import c{TESTS}",
    "by a call": f"import pytest\nnp = pytest.importorskip('numpy'){TESTS}",
    "for types only": f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a{TESTS}",
    "under a decorator": f"import a\n\n@a.wraps\ndef f():\n    import b\n\n@a.wraps\nclass C:\n    pass{TESTS}",
    "without a line end": "import a",
    "carriage returns": f"import a\nX = 1{TESTS}".replace("\n", "\r\n"),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=[*SOURCES])
def test_they_are_those_of_the_whole_file(tmp_path, source):
    path = tmp_path / "test_it.py"
    path.write_bytes(source.encode())
    whole = read_module(path, "test_it", "test_it.py")
    assert set(read_imports(path, "test_it", "test_it.py")) == set(whole.all_imports())


def test_what_follows_the_last_import_is_not_parsed(tmp_path, monkeypatch):
    path = tmp_path / "test_it.py"
    path.write_text(SOURCES["at the top"])
    parsed = []
    tree = module._tree
    monkeypatch.setattr(module, "_tree", lambda data, path: parsed.append(data) or tree(data, path))
    read_imports(path, "test_it", "test_it.py")
    assert [each.strip() for each in parsed] == [b"import numpy as np\nfrom a.b import c"]


@pytest.mark.parametrize("content", [b"import a\ndef", b"import a\n\xff = 1\nimport b\n"])
def test_a_file_that_cannot_be_parsed_is_said(tmp_path, content):
    path = tmp_path / "test_it.py"
    path.write_bytes(content + b"\nimport c (")
    with pytest.raises(RecordingError, match="cannot be"):
        read_imports(path, "test_it", "test_it.py")


def test_a_file_that_is_gone_is_said(tmp_path):
    with pytest.raises(RecordingError, match="cannot be read"):
        read_imports(tmp_path / "gone.py", "gone", "gone.py")
