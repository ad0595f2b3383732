"""The fingerprint that is free of order: sums of the hashes of rows, and the hashes of texts."""

import numpy as np
import pandas as pd
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.fingerprints.frames import frame
from pytest_mlrepro.fingerprints.multiset import RowHashes, RowSums
from pytest_mlrepro.fingerprints.texts import text_hashes

MASK = (1 << 64) - 1


def digest(obj):
    return fingerprint(obj, ordered=False).digest


def hashes_of(df):
    """The hashes of a frame's rows, its blocks and how many rows."""
    table = frame(df)
    hashes = RowHashes(table.schema(ordered=False), table.columns)
    return hashes, [column.read(0, len(df)) for column in table.columns]


def sums_of(df):
    hashes, blocks = hashes_of(df)
    hashes.add(blocks)
    return hashes.sums(len(df))


def root_of(df, sums):
    hashes, _ = hashes_of(df)
    hashes.merge(sums)
    return hashes.root(sums.rows)


def rows():
    cells = st.tuples(
        st.integers(0, 2), st.sampled_from(["", "a", "b", None, "a text longer than a word"]), st.booleans()
    )
    return st.lists(cells, max_size=12)


def table(found):
    df = pd.DataFrame(found, columns=["number", "text", "flag"])
    return df.astype({"number": "int64", "text": "string", "flag": "bool"})


@given(rows(), st.data())
@settings(max_examples=150, deadline=None)
def test_two_tables_agree_where_they_hold_the_same_rows_as_often(one, data):
    other = data.draw(st.one_of(rows(), st.permutations(one)))
    same = sorted(map(repr, one)) == sorted(map(repr, other))
    assert (digest(table(one)) == digest(table(other))) == same


@given(rows(), st.data())
@settings(max_examples=100, deadline=None)
def test_the_sums_of_any_parts_are_those_of_the_whole(found, data):
    order = data.draw(st.permutations(found))
    borders = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=4)))
    pairs = zip([0, *borders], [*borders, len(order)], strict=True)
    parts = [sums_of(table(order[start:stop])) for start, stop in pairs]
    data.draw(st.randoms()).shuffle(parts)
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merged(part)
    assert merged == sums_of(table(found))
    hashes, blocks = hashes_of(table(found))
    hashes.add(blocks)
    assert root_of(table(found), merged) == hashes.root(len(found))


@pytest.mark.parametrize("times", [2, 3, 4, 2**16])
def test_a_repeated_row_is_not_cancelled(times):
    rest = [(7, "x", True)]
    seen = {digest(table([(1, "a", True)] * count + rest)) for count in (0, 1, times)}
    assert len(seen) == 3


@pytest.mark.parametrize("make", [np.array, lambda rows: rows.astype(str)], ids=["numbers", "texts"])
def test_cells_do_not_change_places(make):
    seen = [digest(make(np.arange(9).reshape(3, 3)))]
    for place in range(3):
        for pair in ([0, 1], [1, 2], [0, 2]):
            for spot in ((pair, place), (place, pair)):
                changed = np.arange(9).reshape(3, 3)
                changed[spot] = changed[spot][::-1]
                seen.append(digest(make(changed)))
    assert len(set(seen)) == 19


def test_words_of_texts_and_parts_of_numbers_do_not_change_places_between_rows():
    def both(one, other):
        return digest(pd.DataFrame({"x": [one, other]}))

    assert both("abcdefgh12345678", "ABCDEFGH87654321") != both("abcdefgh87654321", "ABCDEFGH12345678")
    assert both(1 + 2j, 3 + 4j) != both(1 + 4j, 3 + 2j)
    detail = [
        fingerprint(pd.DataFrame({"x": texts}), ordered=False).detail["columns"]
        for texts in (["abcdefgh12345678", "ABCDEFGH87654321"], ["abcdefgh87654321", "ABCDEFGH12345678"])
    ]
    assert detail[0] != detail[1]


@given(
    npst.arrays(np.int64, npst.array_shapes(min_dims=2, max_dims=2, max_side=300), elements=st.integers(0, 1))
)
@settings(max_examples=40, deadline=None)
def test_the_layout_in_which_rows_are_mixed_does_not_show(values):
    whole = RowHashes(b"schema", [column := _column(values)])
    whole.add([column.read(0, len(values))])
    single = RowHashes(b"schema", [column])
    for row in range(len(values)):
        single.add([column.read(row, row + 1)])
    assert whole.sums(len(values)) == single.sums(len(values))


def _column(values):
    return fingerprint.adapter(np.ndarray)(values).column


def test_hashes_are_those_of_rows_before_they_are_mixed():
    df = table([(1, "a", True), (2, "b", False), (1, "a", True)])
    hashes, blocks = hashes_of(df)
    found = hashes.hashes(blocks)
    assert found.shape == (2, 3)
    assert found.dtype == np.uint64
    assert (found[:, 0] == found[:, 2]).all()
    assert (found[:, 0] != found[:, 1]).all()
    hashes.add_sums(found)
    assert hashes.root(3) == root_of(df, sums_of(df))


def test_sums_hold_on_to_rows_and_cells_only():
    sums = sums_of(table([(1, "a", True)]))
    assert isinstance(sums, RowSums)
    assert len(sums.lanes) == (1 + 3) * 16
    assert sums.merged(RowSums(0, bytes(64))) == sums


def reference(texts, key):
    """The hashes of texts, written down once more and one at a time."""
    keys = np.frombuffer(blake3(key).digest(16 * 291), dtype="<u8").reshape(2, 291).tolist()
    mixers = (
        (30, 0xBF58476D1CE4E5B9, 27, 0x94D049BB133111EB, 31),
        (33, 0xFF51AFD7ED558CCD, 33, 0xC4CEB9FE1A85EC53, 33),
    )

    def mix(value, lane):
        first, one, second, other, third = mixers[lane]
        value &= MASK
        value = (value ^ value >> first) * one & MASK
        value = (value ^ value >> second) * other & MASK
        return value ^ value >> third

    def one(text, lane):
        if len(text) > 256:
            words, own = blake3(text).digest(16), keys[lane][289:]
        else:
            words, own = text or b"\0", [keys[lane][len(text)], *keys[lane][257:]]
        parts = [int.from_bytes(words[start : start + 8], "little") for start in range(0, len(words), 8)]
        return sum(mix(part + own[place], lane) for place, part in enumerate(parts)) & MASK

    return [[one(text, lane) for text in texts] for lane in (0, 1)]


def hashed(texts, key=b"key"):
    return text_hashes(np.array(list(map(len, texts)), dtype=np.int64), b"".join(texts), key)


SHORT = st.binary(max_size=20)
LONG = st.sampled_from([0, 7, 8, 9, 255, 256, 257, 1000]).flatmap(
    lambda size: st.binary(min_size=size, max_size=size)
)


@given(st.lists(st.one_of(SHORT, LONG), max_size=30))
@settings(max_examples=200, deadline=None)
def test_texts_are_hashed_as_they_are_one_by_one(texts):
    assert hashed(texts).tolist() == reference(texts, b"key")


def test_what_lies_around_a_text_does_not_show():
    rng = np.random.default_rng(0)
    texts = [rng.bytes(int(size)) for size in rng.integers(0, 300, 3000)]
    texts += [bytes(1) * size for size in range(20)]
    alone = np.concatenate([hashed([text]) for text in texts], axis=1)
    assert (hashed(texts) == alone).all()
    padded = memoryview(b"before" + b"".join(texts) + b"after")[6:-5]
    lengths = np.array(list(map(len, texts)), dtype=np.int32)
    assert (text_hashes(lengths, padded, b"key") == alone).all()


def test_zeros_at_the_end_of_a_text_count():
    texts = [b"a" + bytes(count) for count in range(300)] + [bytes(count) for count in range(300)]
    assert len(set(hashed(texts)[0].tolist())) == len(texts)
    assert len(set(hashed(texts)[1].tolist())) == len(texts)


def test_one_changed_bit_changes_about_half_of_the_bits_of_both_hashes():
    text = bytes(range(40))
    changed = [
        text[:place] + bytes([text[place] ^ 1 << bit]) + text[place + 1 :]
        for place in range(40)
        for bit in range(8)
    ]
    flips = hashed(changed) ^ hashed([text])
    counts = np.unpackbits(flips[..., None].view(np.uint8), axis=-1).sum(axis=-1)
    assert 28 < counts.mean() < 36
    assert counts.min() > 8


def test_texts_have_other_hashes_under_another_key():
    texts = [b"", b"a", b"b" * 300]
    assert not (hashed(texts, b"key") == hashed(texts, b"another")).any()
