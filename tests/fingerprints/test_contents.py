"""Files and folders by value: how a file is written does not count, what it holds does."""

import gzip
import os
import sys

import numpy as np
import pytest

from pytest_mlrepro import fingerprint
from pytest_mlrepro.errors import FingerprintError, MissingExtraError
from pytest_mlrepro.fingerprints import contents

pd = pytest.importorskip("pandas")

CSV = b"n,x,s\n1,0.5,a\n2,,b c\n3,1e3,\n"
CSV_DIGEST = "mlr1-blake3:ff2d2f472c09d5a07c50debb1da50c9a"


def by_value(path, **options):
    return fingerprint(path, by_value=True, **options)


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "n": [1, 2, 3, 4],
            "x": [0.1, 2.5, -0.0, 1e300],
            "s": ["a", "b,c", 'q"x', "é"],
            "b": [True, False, True, True],
            "t": pd.date_range("2020", periods=4),
        }
    )


def written(frame, path):
    """A frame in a file of the kind that its ending says."""
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".feather":
        frame.to_feather(path)
    elif path.suffix == ".orc":
        frame.to_orc(path)
    else:
        import pyarrow as pa

        rows = pa.Table.from_pandas(frame)
        kinds = {".arrow": pa.ipc.new_stream, ".ipc": pa.ipc.new_file}
        with pa.OSFile(str(path), "wb") as file, kinds[path.suffix](file, rows.schema) as writer:
            writer.write_table(rows)
    return path


@pytest.mark.parametrize("ending", ["parquet", "feather", "orc", "arrow", "ipc"])
def test_a_table_of_arrow_is_the_frame(tmp_path, frame, ending):
    pytest.importorskip("pyarrow")
    path = written(frame, tmp_path / f"_data.{ending}")
    assert by_value(path) == fingerprint(frame)
    assert by_value(path).detail == fingerprint(frame).detail
    assert by_value(path, ordered=False) == fingerprint(frame[::-1].reset_index(drop=True), ordered=False)
    frame.loc[2, "s"] = "other"
    assert by_value(written(frame, path)) == fingerprint(frame)


def test_groups_of_rows_compression_and_metadata_do_not_count(tmp_path, frame):
    pq = pytest.importorskip("pyarrow.parquet")
    path = written(frame, tmp_path / "one.parquet")
    rows = pq.read_table(path).replace_schema_metadata({"author": "x"})
    pq.write_table(rows, tmp_path / "other.pq", compression="zstd", row_group_size=2, use_dictionary=False)
    assert by_value(tmp_path / "other.pq") == by_value(path)
    assert fingerprint(tmp_path / "other.pq") != fingerprint(path)


def test_a_csv_is_the_frame_however_it_is_written(tmp_path, frame):
    frame = frame.drop(columns="t")
    (tmp_path / "plain.csv").write_bytes(frame.to_csv(index=False).encode())
    (tmp_path / "marked.CSV").write_bytes(b"\xef\xbb\xbf" + frame.to_csv(index=False).encode())
    frame.to_csv(tmp_path / "quoted.csv", index=False, quoting=1, lineterminator="\r\n")
    frame.to_csv(tmp_path / "tabs.tsv", index=False, sep="\t")
    for ending in ("gz", "bz2", "xz"):
        frame.to_csv(tmp_path / f"packed.csv.{ending}", index=False)
    frame.to_csv(tmp_path / "packed.tsv.gz", index=False, sep="\t")
    found = {path.name: by_value(path) for path in tmp_path.iterdir()}
    assert len(found) == 8
    assert set(found.values()) == {fingerprint(frame)}


def test_a_csv_has_one_digest_whatever_is_installed(tmp_path):
    (tmp_path / "data.csv").write_bytes(CSV)
    assert by_value(tmp_path / "data.csv").digest == CSV_DIGEST


def test_rows_in_any_order(tmp_path):
    head, *rows = CSV.splitlines(keepends=True)
    (tmp_path / "one.csv").write_bytes(CSV)
    (tmp_path / "other.csv").write_bytes(b"".join([head, *rows[::-1]]))
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    assert by_value(one) != by_value(other)
    assert by_value(one, ordered=False) == by_value(other, ordered=False)


def test_arrays(tmp_path):
    values = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "c.npy", values)
    np.save(tmp_path / "f.npy", np.asfortranarray(values.astype(">f8")))
    assert by_value(tmp_path / "c.npy") == by_value(tmp_path / "f.npy") == fingerprint(values)
    assert by_value(tmp_path / "c.npy", ordered=False) == fingerprint(values[::-1], ordered=False)
    np.savez(tmp_path / "one.npz", x=values, y=np.arange(2))
    np.savez_compressed(tmp_path / "other.npz", y=np.arange(2), x=values)
    expected = fingerprint({"x": values, "y": np.arange(2)})
    assert by_value(tmp_path / "one.npz") == by_value(tmp_path / "other.npz") == expected


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return print, ("sprung",)

    np.save(tmp_path / "trap.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "trap.npz", x=np.array([Trap()], dtype=object))
    for name in ("trap.npy", "trap.npz"):
        with pytest.raises(FingerprintError, match=f"'{name}' cannot be read by value: Object arrays cannot"):
            by_value(tmp_path / name)


def test_images_are_their_pixels(tmp_path):
    images = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    image = images.fromarray(pixels)
    for ending in ("png", "bmp", "tif", "ppm"):
        image.save(tmp_path / f"data.{ending}")
    image.save(tmp_path / "small.png", compress_level=9, dpi=(72, 72))
    image.save(tmp_path / "data.webp", lossless=True)
    found = {by_value(path) for path in tmp_path.iterdir()}
    assert found == {fingerprint({"mode": "RGB", "pixels": pixels})}
    image.putpixel((0, 0), (1, 2, 3))
    image.save(tmp_path / "data.png")
    assert by_value(tmp_path / "data.png") not in found


def test_a_palette_counts_as_the_colours_it_shows(tmp_path):
    images = pytest.importorskip("PIL.Image")
    codes = [[0, 1], [1, 2]]
    palette = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    for name, order in (("one.png", [0, 1, 2]), ("other.png", [2, 0, 1])):
        image = images.fromarray(np.array([[order.index(code) for code in row] for row in codes], np.uint8))
        image.putpalette([part for code in order for part in palette[code]])
        image.save(tmp_path / name)
    image.convert("RGB").save(tmp_path / "plain.png")
    found = {by_value(path) for path in tmp_path.iterdir()}
    assert len(found) == 1
    image.save(tmp_path / "clear.png", transparency=0)
    image.info["transparency"] = 0
    image.convert("RGBA").save(tmp_path / "clear2.png")
    assert by_value(tmp_path / "clear.png") == by_value(tmp_path / "clear2.png")
    assert by_value(tmp_path / "clear.png") not in found


def test_a_transparent_colour_counts_as_what_it_shows(tmp_path):
    images = pytest.importorskip("PIL.Image")
    image = images.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    image.save(tmp_path / "opaque.png")
    image.save(tmp_path / "colour.png", transparency=(1, 2, 3))
    images.fromarray(np.array([[[1, 2, 3, 0], [4, 5, 6, 255]]], np.uint8)).save(tmp_path / "alpha.png")
    assert by_value(tmp_path / "colour.png") == by_value(tmp_path / "alpha.png")
    assert by_value(tmp_path / "colour.png") != by_value(tmp_path / "opaque.png")


def test_every_frame_of_an_image_counts(tmp_path):
    images = pytest.importorskip("PIL.Image")
    first, second, third = (images.new("L", (4, 4), shade) for shade in (0, 100, 200))
    for name, frames in {"a": [first], "b": [first, second], "c": [first, third]}.items():
        frames[0].save(tmp_path / f"{name}.tif", save_all=True, append_images=frames[1:])
    assert len({by_value(path) for path in tmp_path.iterdir()}) == 3
    frame = {"mode": "L", "pixels": np.zeros((4, 4), dtype=np.uint8)}
    assert by_value(tmp_path / "a.tif") == fingerprint(frame)


@pytest.mark.parametrize("name", ["data.bin", "data", "data.csv.zip", "data.xlsx"])
def test_an_ending_that_is_not_known_is_an_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"1")
    with pytest.raises(FingerprintError, match=r"its ending is none of \.arrow .*\.csv .*\.npy") as caught:
        by_value(tmp_path / name)
    assert "by_value" in caught.value.remedy


BROKEN = [
    ("a.parquet", b"PAR1"),
    ("a.parquet", b""),
    ("a.feather", b"ARROW1"),
    ("a.arrow", b"x" * 100),
    ("a.orc", b"ORC"),
    ("a.npy", b""),
    ("a.npy", b"\x93NUMPY\x01\x00\x06\x00((((((" + b"\n"),
    ("a.npz", b"PK\x03\x04"),
    ("a.csv", b""),
    ("a.csv", b"a,b\n1\n"),
    ("a.csv", b"a\n\xff\n"),
    ("a.csv.gz", CSV),
    ("a.csv.gz", gzip.compress(CSV, mtime=0)[:-12]),
    ("a.csv.bz2", CSV),
    ("a.csv.xz", CSV),
    ("a.png", b"\x89PNG\r\n\x1a\n"),
    ("a.png", b""),
    ("a.jpg", b"\xff\xd8\xff\xe0"),
    ("a.tif", b"II*\x00"),
]


@pytest.mark.parametrize(("name", "data"), BROKEN)
def test_a_broken_file_is_an_error(tmp_path, name, data):
    pytest.importorskip("pyarrow")
    pytest.importorskip("PIL")
    (tmp_path / name).write_bytes(data)
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(FingerprintError) as caught:
            by_value(path)
        assert caught.value.what.startswith(f"'{name}'")
        assert "\n" not in caught.value.what
        assert caught.value.remedy


def test_a_damaged_arrow_file_does_not_end_the_process(tmp_path):
    """Arrow takes it as it lies, and would follow an offset anywhere."""
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "data.arrow"
    texts = pa.table({"s": ["text"] * 100})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, texts.schema) as writer:
        writer.write_table(texts)
    data = path.read_bytes()
    offsets = b"".join((4 * place).to_bytes(4, "little") for place in range(101))
    assert data.count(offsets) == 1
    path.write_bytes(data.replace(offsets, offsets[:40] + (1 << 30).to_bytes(4, "little") + offsets[44:]))
    with pytest.raises(FingerprintError, match=r"'data.arrow' cannot be read by value: .*offset"):
        by_value(path)


def test_an_image_too_large_to_be_true_is_an_error(tmp_path, monkeypatch):
    images = pytest.importorskip("PIL.Image")
    images.new("L", (40, 40)).save(tmp_path / "data.png")
    for most in (100, 1_000):  # an error of Pillow's, a warning
        monkeypatch.setattr(images, "MAX_IMAGE_PIXELS", most)
        with pytest.raises(FingerprintError, match=r"'data.png' cannot be read by value: Image size"):
            by_value(tmp_path / "data.png")


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [("a.parquet", "pyarrow", "pyarrow"), ("a.csv", "pandas", "pandas"), ("a.png", "PIL", "pillow")],
)
def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch, name, module, package):
    (tmp_path / name).write_bytes(CSV)
    for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == module]:
        monkeypatch.setitem(sys.modules, loaded, None)
    for submodule in ("", ".dataset", ".ipc", ".Image", ".ImageSequence"):
        monkeypatch.setitem(sys.modules, module + submodule, None)
    with pytest.raises(MissingExtraError) as caught:
        by_value(tmp_path / name)
    assert caught.value.what == f"'{name}' cannot be read by value without the package {package}"
    assert caught.value.remedy == f"pip install {package}"


def test_a_file_that_changes_while_its_values_are_read_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "data.csv"
    path.write_bytes(CSV)
    read = contents.read

    def meddling(*args):
        os.utime(path, (1, 1))
        return read(*args)

    monkeypatch.setattr(contents, "read", meddling)
    with pytest.raises(FingerprintError, match=r"'data.csv' changed while it was read"):
        by_value(path)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "data"
    (root / "deep").mkdir(parents=True)
    (root / "a.csv").write_bytes(CSV)
    (root / "deep" / "b.npy").write_bytes(b"")
    np.save(root / "deep" / "b.npy", np.arange(3))
    (root / "notes.md").write_bytes(b"text\n")
    return root


def test_a_folder_by_value(folder):
    expected = by_value(folder)
    assert expected != fingerprint(folder)
    (folder / "a.csv").write_bytes(CSV.replace(b"\n", b"\r\n"))
    assert by_value(folder) == expected
    assert by_value(folder).detail["entries"] == expected.detail["entries"]
    assert expected.detail["kind"] == "folder by value"
    for name, data in {"a.csv": CSV.replace(b"0.5", b"0.6"), "notes.md": b"text\r\n"}.items():
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(data)
        assert by_value(folder) != expected
        changed = [
            old[0]
            for old, new in zip(expected.detail["entries"], by_value(folder).detail["entries"], strict=True)
            if old != new
        ]
        assert changed == [name]
        (folder / name).write_bytes(before)
    (folder / "a.csv").rename(folder / "c.csv")
    assert by_value(folder) != expected


def test_values_are_no_bytes_of_the_same_digest(tmp_path):
    """A file read by value, and one that is not, never pass for each other."""
    for name, kept in (("one", "a.csv"), ("other", "a.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / kept).write_bytes(CSV)
    one, other = by_value(tmp_path / "one"), by_value(tmp_path / "other")
    assert one.detail["entries"][0][1] != other.detail["entries"][0][1]
    (tmp_path / "one" / "a.csv").unlink()
    (tmp_path / "other" / "a.txt").unlink()
    assert by_value(tmp_path / "one") != fingerprint(tmp_path / "one")


def test_order_free_needs_rows(folder):
    pytest.importorskip("PIL.Image").new("L", (2, 2)).save(folder / "c.png")
    np.savez(folder / "d.npz", x=np.arange(2))
    for name in ("c.png", "d.npz"):
        with pytest.raises(FingerprintError, match=f"ordered=False has no meaning for '{name}'"):
            by_value(folder / name, ordered=False)
    with pytest.raises(FingerprintError, match="ordered=False has no meaning for the folder 'data'"):
        by_value(folder, ordered=False)


def test_the_cache_knows_bytes_not_values(folder, tmp_path):
    from pytest_mlrepro.fingerprints import FileCache

    with FileCache(tmp_path / "cache") as known:
        assert by_value(folder / "a.csv", cache=known) != fingerprint(folder / "a.csv", cache=known)
        assert by_value(folder, cache=known) == by_value(folder)


@pytest.mark.parametrize(
    ("version", "is_safe"), [("12.0.1", False), ("14.0.0", False), ("14.0.1", True), ("15", True)]
)
@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.orc"])
def test_an_arrow_that_unpickles_is_refused(tmp_path, monkeypatch, version, is_safe, name):
    pyarrow = pytest.importorskip("pyarrow")
    monkeypatch.setattr(pyarrow, "__version__", version)
    (tmp_path / name).write_bytes(b"no table")
    with pytest.raises(FingerprintError) as caught:
        by_value(tmp_path / name)
    told = f"'{name}': pyarrow {version} runs code that a file brings with it"
    assert (caught.value.what == told) is not is_safe
    assert isinstance(caught.value, MissingExtraError) is not is_safe
    assert is_safe or caught.value.remedy == "pip install 'pyarrow>=14.0.1'"
