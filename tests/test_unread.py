"""What is kept as text is read when it is asked for, and is otherwise a mapping like any other."""

from __future__ import annotations

import copy
import pickle

import pytest

from pytest_mlrepro.unread import Unread, laid_over


def numbers(text):
    return [*map(int, text.split())]


class Counting:
    def __init__(self):
        self.texts = []

    def __call__(self, text):
        self.texts.append(text)
        return numbers(text)


PLAIN = {"a": [1, 2], "b": [3], "c": [4]}


def unread(read=numbers):
    return Unread({"a": "1 2", "b": [3], "c": "4"}, read)


def test_it_is_a_mapping():
    assert unread() == PLAIN
    assert dict(PLAIN).__eq__(unread()) is NotImplemented
    assert unread() == unread()
    assert unread() != {**PLAIN, "d": [5]}
    assert {**unread()} == dict(unread()) == PLAIN
    assert repr(unread()) == repr(PLAIN)
    assert unread().keys() & {"a", "d"} == {"a"}
    assert unread().get("d") is None
    for other in (pickle.loads(pickle.dumps(unread())), copy.copy(unread()), copy.deepcopy(unread())):
        assert other == PLAIN


def test_it_reads_only_what_is_asked_for_and_holds_the_last():
    read = Counting()
    mapping = unread(read)
    assert len(mapping) == 3
    assert [*mapping] == ["a", "b", "c"]
    assert "a" in mapping
    assert "d" not in mapping
    with pytest.raises(KeyError):
        mapping["d"]
    assert not read.texts
    assert mapping["a"] is mapping["a"]
    assert read.texts == ["1 2"]
    assert [*mapping.values()] == [[1, 2], [3], [4]]
    assert read.texts == ["1 2", "4"]
    assert mapping["a"] == [1, 2]
    assert read.texts == ["1 2", "4", "1 2"]


def test_it_shows_the_texts_that_it_reads():
    assert [unread().text(name) for name in ("a", "b", "c", "d")] == ["1 2", "", "4", ""]
    above = laid_over(unread(), {"a": [5], "d": [6]})
    assert [above.text(name) for name in ("a", "b", "c", "d")] == ["", "", "4", ""]


def test_what_it_was_made_of_may_change():
    texts = {"a": "1"}
    mapping = Unread(texts, numbers)
    texts["b"] = "2"
    assert mapping == {"a": [1]}


@pytest.mark.parametrize("own", [{}, {"b": [5]}, {"b": []}, {"d": [6], "e": []}])
def test_it_can_be_laid_under_others(own):
    read = Counting()
    below = unread(read)
    above = laid_over(below, own)
    assert not read.texts
    assert above == laid_over(PLAIN, own)
    assert [*above] == [*laid_over(PLAIN, own)]
    assert below == PLAIN


def test_what_is_empty_is_left_out():
    below = Unread({"a": "1", "b": []}, numbers)
    assert [*laid_over(below, {})] == ["a"]
    assert laid_over(below, {"b": [2]}) == {"a": [1], "b": [2]}
    assert laid_over({"a": [1], "b": []}, {}) == {"a": [1]}
    assert below == {"a": [1], "b": []}
