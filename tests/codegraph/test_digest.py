"""The digest of syntax: what it does counts, how it is written does not."""

import ast
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.codegraph.digest import combined_digest, tree_digest


def digest(source):
    return tree_digest([ast.parse(textwrap.dedent(source))])


def test_digests_do_not_depend_on_the_python_that_computes_them():
    # A digest is kept in lockfiles: this one must never change.
    source = '''
    """About."""
    import numpy as np

    @dataclass(frozen=True)
    class Point(Base, metaclass=Meta):
        x: float = -0.0
        def far(self, /, *args, limit: int = 3, **rest) -> bool:
            return f"{self.x!r:>{limit}} of" f" {args}" if self.x > 1e3 else None

    async def main():
        async with open() as f, g:
            return [b"a", 1j, ..., {**f}, not x, *g][::2]
    '''
    assert digest(source) == "757a6c9dd45c1fd0e0fc0a24187c3618"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = f(1,2) # why", "x = (\n  f(1, 2)\n)"),
        ("def f():\n  'doc'\n  return 1", "def f(): return 1"),
        ("class A:\n  'doc'\n  x = 1", "class A: x = 1"),
        ("'''doc'''\nx = 1", "x = 1"),
        ("x = u'a'", "x = 'a'"),
        ("x = r'a'", "x = '''a'''"),
        ("x = 'a' 'b'", "x = 'ab'"),
        ("x = f'ab{c}d' 'e'", "x = 'a' 'b' f'{c}de'"),
        ("x = f'a'", "x = 'a'"),
        ("x = 0x10", "x = 16"),
        ("x = 1_000.0", "x = 1e3"),
        ("def f(): pass", "def f(): ..."),
        ("if a:\n  b()\nelse:\n  pass", "if a: b()"),
        ("def f(x: int) -> int: return x", "def f(x): return x"),
        ("def f():\n  x: int = 1", "def f():\n  x = 1"),
        ("x: int = 1", "x = 1"),
        ("x = [] # type: list[int]", "x = []"),
    ],
)
def test_how_it_is_written_does_not_count(one, other):
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = 0", "x = False"),
        ("x = 0.0", "x = -0.0"),
        ("x = 'a'", "x = b'a'"),
        ("x = None", "x = ..."),
        ("x = 'None'", "x = None"),
        ("x = 1j", "x = 1.0"),
        ("x = f'{a}'", "x = a"),
        ("x = f'{a}'", "x = f'{a!r}'"),
        ("x = f'{a}'", "x = f'{a:}>3'"),
        ("x = a[1:]", "x = a[:1]"),
        ("x = {**a}", "x = {a: a}"),
        ("x = a.b", "x = a.c"),
        ("def f(a, b=1): pass", "def f(a, *, b=1): pass"),
        ("def f(a, /, b): pass", "def f(a, b): pass"),
        ("def f(): return", "def f(): return None"),
        ("if a: b()", "while a: b()"),
        ("if a:\n  b()\nelse:\n  c()", "if a:\n  b()\nc()"),
        ("a()\nb()", "b()\na()"),
        ("class A: x: int = 1", "class A: x: float = 1"),
        ("class A: x: int", "class A: y: int"),
        ("@check\ndef f(x: int): pass", "@check\ndef f(x: float): pass"),
        ("@check\ndef f() -> int: pass", "@check\ndef f() -> float: pass"),
        ("from .a import b", "from ..a import b"),
        ("async def f(): pass", "def f(): pass"),
        ("x = [a for a in b]", "x = {a for a in b}"),
        ("x = ['a', 'b']", "x = ['ab']"),
        ("global_ = 1", "global_ = 2"),
    ],
)
def test_what_it_does_counts(one, other):
    assert digest(one) != digest(other)


def test_text_of_f_strings_may_come_in_any_pieces():
    # Python 3.12 cuts it into other pieces than 3.11 and 3.13, and leaves empty ones.
    value = ast.FormattedValue(ast.Name("x"), -1)
    pieces = [ast.Constant("a"), ast.Constant("b"), value, ast.Constant("")]
    assert tree_digest([ast.JoinedStr(pieces)]) == tree_digest([ast.JoinedStr([ast.Constant("ab"), value])])


def test_numbers_of_any_length_and_lone_surrogates_have_a_digest():
    assert digest(f"x = 0x{'f' * 10_000}") != digest(f"x = 0x{'f' * 9_999}")
    assert digest(r"x = '\ud800'") != digest(r"x = '\ud801'")


constants = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.binary(),
    st.complex_numbers(allow_nan=False, allow_infinity=False),
)


@settings(deadline=None)
@given(constants, constants)
def test_constants_agree_exactly_when_type_and_text_do(one, other):
    same = type(one) is type(other) and repr(one) == repr(other)
    assert (tree_digest([ast.Constant(one)]) == tree_digest([ast.Constant(other)])) is same


@settings(deadline=None)
@given(st.lists(st.text()), st.lists(st.text()))
def test_texts_are_combined_with_their_boundaries(one, other):
    assert (combined_digest(one) == combined_digest(other)) is (one == other)
