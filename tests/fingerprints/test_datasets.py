"""Hugging Face's datasets: tables of what is stored, whatever maps, splits or formats it."""

import io

import numpy as np
import pandas as pd
import pytest
from packaging.version import Version
from sklearn.datasets import load_breast_cancer, load_digits

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import difference, fingerprint, gathered

hf = pytest.importorskip("datasets")
pa = pytest.importorskip("pyarrow")

CANCER = load_breast_cancer(as_frame=True).frame
DIGITS = load_digits()
NAMES = [str(number) for number in range(10)]
PEOPLE = pd.DataFrame(
    {
        "age": pd.array([36, None, 0, 7], dtype="Int64"),
        "small": np.array([1, 2, 3, 4], dtype="u1"),
        "ok": pd.array([True, None, False, True], dtype="boolean"),
        "score": [1.5, -0.0, float("nan"), float("inf")],
        "name": ["Ada", None, "", "ü\0"],
        "born": pd.to_datetime(["1815-12-10", None, "1840-04-02", "1900-01-01"]),
        "tokens": [[1, 2], [], None, [3]],
        "nothing": [None, None, None, None],
        "late": [None, None, None, {"a": 1}],
    }
)
TABLE = pa.Table.from_pandas(PEOPLE)
LABELLED = hf.Features({"label": hf.ClassLabel(names=NAMES)})


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(hf.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    hf.utils.logging.disable_progress_bar()


def people():
    return hf.Dataset(TABLE)


def chunked(table, length):
    return hf.Dataset(pa.Table.from_batches(table.to_batches(max_chunksize=length), table.schema))


def png(pixels):
    image = pytest.importorskip("PIL.Image")
    buffer = io.BytesIO()
    image.fromarray(pixels.astype("u1") * 15).save(buffer, "png")
    return buffer.getvalue()


# A table of what is stored.


@pytest.mark.parametrize("ordered", [True, False])
def test_same_as_pandas_and_arrow(ordered):
    made = [hf.Dataset.from_pandas(CANCER), hf.Dataset.from_dict(CANCER.to_dict("list"))]
    for source in [*made, hf.Dataset(pa.Table.from_pandas(CANCER)), chunked(pa.Table.from_pandas(CANCER), 9)]:
        assert fingerprint(source, ordered=ordered) == fingerprint(CANCER, ordered=ordered)
    assert fingerprint(made[0]).detail == fingerprint(CANCER).detail


@pytest.mark.parametrize("name", PEOPLE)
def test_same_as_arrow_whatever_maps_it(name):
    table = TABLE.select([name])
    for length in (1, 3, 4):
        source = chunked(table, length)
        assert fingerprint(source) == fingerprint(table)
        for numbers in ([3, 0, 2, 1], [0, 2, 1, 3], [1, 2, 3], [2, 2, 0], [1], [0, 1, 2], []):
            expected = fingerprint(table.take(pa.array(numbers, pa.int64())))
            assert fingerprint(source.select(numbers)) == expected, numbers
            assert fingerprint(source.select(numbers, keep_in_memory=True).flatten_indices()) == expected
            assert fingerprint(source.select(numbers), ordered=False) == fingerprint(
                table.take(pa.array(numbers, pa.int64())), ordered=False
            )


def test_shuffled_filtered_and_concatenated():
    source = hf.Dataset.from_pandas(CANCER)
    shuffled = source.shuffle(seed=3)
    assert shuffled._indices is not None
    assert fingerprint(shuffled) == fingerprint(shuffled.to_pandas()) != fingerprint(source)
    assert fingerprint(shuffled, ordered=False) == fingerprint(source, ordered=False)
    some = shuffled.filter(lambda row: row["target"] == 1)
    assert fingerprint(some) == fingerprint(some.to_pandas())
    both = hf.concatenate_datasets([some, source])
    assert fingerprint(both) == fingerprint(pd.concat([some.to_pandas(), CANCER], ignore_index=True))


@pytest.mark.parametrize("held", [1, 1 << 21, 1 << 25])
def test_several_blocks_in_many_chunks(held, monkeypatch):
    monkeypatch.setattr(gathered, "_HELD", held)
    numbers = np.arange(150_000)
    table = pa.table({"n": numbers, "t": pa.array(numbers.astype(str))})
    order = np.random.default_rng(0).permutation(numbers)[:140_000]
    source = chunked(table, 1_001).select(order)
    assert source._indices is not None
    assert fingerprint(source) == fingerprint(table.take(pa.array(order)))


def test_very_many_chunks():
    table = pa.table({"n": np.arange(66_000)})
    order = np.random.default_rng(0).permutation(66_000)
    assert fingerprint(chunked(table, 1).select(order)) == fingerprint(pa.table({"n": order}))


@pytest.mark.parametrize("kind", ["string", "large_string", "binary"])
def test_texts_that_are_longer_together_than_narrow_offsets_say(kind, monkeypatch):
    monkeypatch.setattr(gathered, "_LONGEST", 10)
    table = pa.table({"t": pa.array(["one", None, "", "another"] * 50, pa.string()).cast(kind)})
    numbers = np.random.default_rng(0).permutation(200)
    source = chunked(table, 7).select(numbers)
    cast = []
    monkeypatch.setattr(
        gathered, "_wide", lambda parts, wide=gathered._wide: cast.append(wide(parts)) or cast[-1]
    )
    assert fingerprint(source) == fingerprint(table.take(pa.array(numbers)))
    assert str(cast[0][0].type).startswith("large")


def test_files_and_formats_do_not_count(tmp_path):
    source = hf.Dataset.from_pandas(CANCER).shuffle(seed=1)
    expected = fingerprint(source)
    source.save_to_disk(str(tmp_path / "saved"))
    assert fingerprint(hf.load_from_disk(str(tmp_path / "saved"))) == expected
    source.to_parquet(str(tmp_path / "a.parquet"))
    assert (
        fingerprint(hf.Dataset.from_parquet(str(tmp_path / "a.parquet"), cache_dir=str(tmp_path))) == expected
    )
    for form in ("numpy", "pandas", "arrow"):
        assert fingerprint(source.with_format(form, columns=["target"])) == expected
    assert fingerprint(source.with_transform(lambda rows: {"x": rows["target"]})) == expected


def test_another_value_name_type_or_order_differs():
    source = people()
    others = [
        source.rename_column("age", "years"),
        source.cast_column("small", hf.Value("int16")),
        source.select([1, 0, 2, 3]),
        source.remove_columns("ok"),
        source.map(lambda row: {"small": row["small"] + 1}),
    ]
    assert len({fingerprint(other) for other in [source, *others]}) == 6


# Labels.


def test_labels_are_categories():
    table = pa.table({"label": DIGITS.target})
    source = hf.Dataset(table).cast(LABELLED)
    grades = pd.DataFrame({"label": pd.Categorical.from_codes(DIGITS.target, NAMES)})
    assert fingerprint(source) == fingerprint(grades) != fingerprint(table)
    assert fingerprint(source, ordered=False) == fingerprint(grades, ordered=False)
    assert fingerprint(source.shuffle(seed=1)) == fingerprint(
        pd.DataFrame({"label": pd.Categorical.from_codes(source.shuffle(seed=1)["label"][:], NAMES)})
    )
    renamed = hf.Dataset(table).cast(hf.Features({"label": hf.ClassLabel(names=[*NAMES[:9], "nine"])}))
    one, other = fingerprint(source), fingerprint(renamed)
    assert one != other
    assert difference(one.detail, other.detail).endswith("the set or order of its categories changed")


def test_labels_that_are_missing_unknown_or_wrong():
    def taken(*labels):
        return fingerprint(
            hf.Dataset(pa.table({"label": pa.array(labels, pa.int64())}), fingerprint="x").cast(LABELLED)
        )

    assert len({taken(1, None), taken(1, -1), taken(1, 0), taken(1, -100)}) == 4
    source = hf.Dataset(pa.table({"label": pa.array([2**40])}))
    source._info.features = LABELLED
    with pytest.raises(FingerprintError, match="none of the 10 of its ClassLabel"):
        fingerprint(source)


def test_labels_within_lists():
    def taken(labels, names):
        features = hf.Features({"tags": hf.Sequence(hf.ClassLabel(names=names))})
        return fingerprint(hf.Dataset.from_dict({"tags": labels}, features=features))

    assert taken([[0, 1], [1]], ["O", "PER"]) == taken([[0, 1], [1]], ["O", "PER"])
    others = [taken([[0, 1], [1]], ["O", "LOC"]), taken([[0, 1], [0]], ["O", "PER"])]
    plain = fingerprint(hf.Dataset.from_dict({"tags": [[0, 1], [1]]}))
    assert len({taken([[0, 1], [1]], ["O", "PER"]), *others, plain}) == 4


# Arrays.


@pytest.mark.skipif(Version(hf.__version__) < Version("2.15"), reason="it does not go with current pyarrow")
def test_arrays_of_fixed_shape_are_lists():
    features = hf.Features({"image": hf.Array2D((8, 8), "float64")})
    source = hf.Dataset.from_dict({"image": DIGITS.images[:20].tolist()}, features=features)
    plain = hf.Dataset.from_dict({"image": DIGITS.images[:20].tolist()})
    assert fingerprint(source) == fingerprint(plain)
    numbers = [7, 3, 3]
    assert fingerprint(source.select(numbers)) == fingerprint(plain.select(numbers))
    assert fingerprint(source) != fingerprint(source.select(range(1, 20)))


# Images, sounds and other documents.


def images(entries, **options):
    features = hf.Features({"image": hf.Image(**options)})
    table = pa.table({"image": pa.array(entries, hf.Image().pa_type)})
    return hf.Dataset(table.cast(features.arrow_schema), info=hf.DatasetInfo(features=features))


def test_images_are_the_content_of_their_files(tmp_path):
    contents = [png(pixels) for pixels in DIGITS.images[:5]]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.png").write_bytes(content)
    kept = images([{"bytes": content, "path": None} for content in contents])
    one = fingerprint(kept)
    assert one.detail["columns"][0][1] == "image"
    assert fingerprint(images([{"bytes": content, "path": "a.png"} for content in contents])) == one
    apart = images([{"bytes": None, "path": str(tmp_path / f"{number}.png")} for number in range(5)])
    assert fingerprint(apart) == one
    assert fingerprint(apart.select([4, 3, 2, 1, 0]).select([4, 3, 2, 1, 0])) == one
    assert fingerprint(kept.cast_column("image", hf.Image(decode=False))) == one
    assert fingerprint(kept.select([1, 0, 2, 3, 4])) != one
    (tmp_path / "3.png").write_bytes(contents[2])
    assert fingerprint(apart) != one
    (tmp_path / "3.png").unlink()
    with pytest.raises(
        FingerprintError, match=r"column 'image' refers to the file .*3\.png.*cannot be read"
    ) as caught:
        fingerprint(apart)
    assert "embed_table_storage" in str(caught.value)


def test_how_documents_are_decoded_counts():
    entries = [{"bytes": png(pixels), "path": None} for pixels in DIGITS.images[:2]]
    every = [images(entries)]
    if hasattr(hf.Image, "mode"):
        every += [images(entries, mode=mode) for mode in ("RGB", "L")]
    for rate in (None, 8_000, 16_000):
        features = hf.Features({"image": hf.Audio(sampling_rate=rate)})
        every.append(
            hf.Dataset(every[0].data.table.cast(features.arrow_schema), hf.DatasetInfo(features=features))
        )
    assert len({fingerprint(each) for each in every}) == len(every)


def test_images_that_are_missing():
    entries = [{"bytes": png(DIGITS.images[0]), "path": None}, None, {"bytes": None, "path": None}]
    one = fingerprint(images(entries))
    assert one == fingerprint(images([entries[0], None, None]))
    assert one != fingerprint(images([entries[0], {"bytes": b"", "path": None}, None]))
    assert one.detail["columns"][0][3:] == (2,)


def test_images_within_lists_and_dicts(tmp_path):
    content = png(DIGITS.images[0])
    (tmp_path / "a.png").write_bytes(content)

    def taken(entry, label=1):
        features = hf.Features(
            {
                "page": {
                    "images": hf.Sequence(hf.Image()),
                    "label": hf.ClassLabel(names=["a", "b"]),
                    "n": hf.Value("int8"),
                }
            }
        )
        row = {"images": [entry, None], "label": label, "n": 3}
        table = pa.table({"page": pa.array([row, None], features.arrow_schema.field("page").type)})
        return fingerprint(hf.Dataset(table, hf.DatasetInfo(features=features)))

    one = taken({"bytes": content, "path": None})
    assert one == taken({"bytes": None, "path": str(tmp_path / "a.png")})
    assert (
        len({one, taken({"bytes": content + b" ", "path": None}), taken({"bytes": content, "path": None}, 0)})
        == 3
    )


def test_images_within_dicts_of_lists(tmp_path):
    (tmp_path / "a.png").write_bytes(png(DIGITS.images[0]))
    kept, apart = (
        {"bytes": png(DIGITS.images[0]), "path": None},
        {"bytes": None, "path": str(tmp_path / "a.png")},
    )

    def taken(entry, label=0, names="ab"):
        items = {"image": hf.Image(decode=False), "label": hf.ClassLabel(names=list(names))}
        rows = [{"image": [entry, kept], "label": [label, 1]}, {"image": [], "label": []}]
        return fingerprint(
            hf.Dataset.from_dict({"page": rows}, features=hf.Features({"page": hf.Sequence(items)}))
        )

    assert taken(kept) == taken(apart)
    others = [taken({"bytes": png(DIGITS.images[1]), "path": None}), taken(kept, 1), taken(kept, names="ac")]
    assert len({taken(kept), *others}) == 4


def test_known_answers():
    image = {"bytes": b"abc", "path": None}
    parts = hf.Sequence({"image": hf.Image(decode=False), "label": hf.ClassLabel(names=["a", "b"])})
    rows = [{"image": [image, image], "label": [0, 1]}, {"image": [], "label": []}]
    for name, values, feature, digits in (
        ("page", rows, parts, "aecf7a55e978dc185e86a35cc699d27d"),
        (
            "t",
            [[0, 1], [1]],
            hf.Sequence(hf.ClassLabel(names=["a", "b"])),
            "d33202f35438f6070e5e7bad34d7fc2a",
        ),
        ("image", [image, None], hf.Image(decode=False), "7be5a31acc2feefb97cceb1cb36a9f62"),
    ):
        source = hf.Dataset.from_dict({name: values}, features=hf.Features({name: feature}))
        assert fingerprint(source).digest == f"mlr1-blake3:{digits}"


# Several data sets, and streams.


def test_splits():
    source = hf.Dataset.from_pandas(CANCER)
    both = hf.DatasetDict({"train": source.select(range(400)), "test": source.select(range(400, 569))})
    one = fingerprint(both)
    assert one == fingerprint({"test": CANCER[400:].reset_index(drop=True), "train": CANCER[:400]})
    other = hf.DatasetDict({**both, "test": both["test"].select(range(168))})
    assert difference(one.detail, fingerprint(other).detail) == "key 'test' of 2 changed"
    shuffled = both.shuffle(seed=2)
    assert fingerprint(shuffled) != one
    assert fingerprint(shuffled, ordered=False) == fingerprint(both, ordered=False) != one


def test_streams():
    source = hf.Dataset.from_pandas(CANCER)
    stream = source.to_iterable_dataset(num_shards=3)
    with pytest.raises(FingerprintError, match="one by one") as caught:
        fingerprint(stream)
    assert "sample=64" in str(caught.value)
    one = fingerprint(stream, sample=20)
    assert one == fingerprint(stream.take(20), sample=64)
    assert one != fingerprint(stream.skip(1), sample=20)
    shuffled = stream.shuffle(seed=1, buffer_size=50)
    assert fingerprint(shuffled, sample=20) == fingerprint(shuffled, sample=20) != one
    changed = source.map(
        lambda row, number: {"target": 2 if number == 7 else row["target"]}, with_indices=True
    )
    other = fingerprint(changed.to_iterable_dataset(), sample=20)
    assert difference(one.detail, other.detail) == "item 7 changed, of 20 sampled"
    splits = hf.IterableDatasetDict({"train": stream})
    assert fingerprint(splits, sample=20) == fingerprint(splits, sample=20) != fingerprint(splits, sample=21)


def test_stream_whose_transform_is_random():
    stream = hf.Dataset.from_pandas(CANCER).to_iterable_dataset()
    own = np.random.default_rng(0)
    noisy = stream.map(lambda row: {"target": own.random()})
    with pytest.raises(FingerprintError, match=r"item 0 of the .*IterableDataset is another one"):
        fingerprint(noisy, sample=3)


def test_in_a_loader_of_torch():
    torch = pytest.importorskip("torch")
    source = hf.Dataset.from_pandas(CANCER).with_format("torch")
    loader = torch.utils.data.DataLoader(source, batch_size=16, num_workers=1)
    assert fingerprint(loader, sample=3).detail["items"] == 3
    stream = source.to_iterable_dataset()
    assert isinstance(stream, torch.utils.data.IterableDataset)
    assert fingerprint(stream, sample=3) != fingerprint(stream.with_format(None), sample=3)
