"""Samples: items of data sets and batches of loaders, read twice and without a trace."""

import random

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import difference, fingerprint
from pytest_mlrepro.fingerprints.generators import kept
from pytest_mlrepro.fingerprints.layout import spread

torch = pytest.importorskip("torch")
data = torch.utils.data

DIGITS = load_digits()
IMAGES = torch.from_numpy(DIGITS.images)
LABELS = torch.from_numpy(DIGITS.target)
WHOLE = data.TensorDataset(IMAGES, LABELS)


class Digits(data.Dataset):
    """As people write one."""

    def __init__(self, images=DIGITS.images, transform=None):
        self.images = images
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, number):
        image = self.images[number]
        if self.transform is not None:
            image = self.transform(image)
        return {"image": torch.from_numpy(image), "about": (int(DIGITS.target[number]), f"digit {number}")}


class Stream(data.IterableDataset):
    def __init__(self, images=IMAGES):
        self.images = images

    def __iter__(self):
        return iter(self.images)


class Once(Stream):
    """What can be read only once."""

    def __init__(self):
        self.items = iter(IMAGES)

    def __iter__(self):
        return self.items


def flipped(image):
    return image[::-1].copy() if torch.rand(()) < 0.5 else image


def brighter(image):
    return image + np.random.random()


def changed(number, images=DIGITS.images):
    images = images.copy()
    images[number, 3, 3] += 1
    return images


def told(before, after, **options):
    one, other = fingerprint(before, **options), fingerprint(after, **options)
    assert one != other
    return difference(one.detail, other.detail)


# Which items count.


def test_items_that_count():
    one = fingerprint(Digits(), sample=64)
    assert one == fingerprint(Digits(), sample=64) == fingerprint(Digits(), sample=spread(1797, 64))
    assert spread(1797, 64)[0] == 0
    assert spread(1797, 64)[-1] == 1796
    number = spread(1797, 64)[5]
    assert fingerprint(Digits(changed(number)), sample=64) != one
    assert fingerprint(Digits(changed(number + 1)), sample=64) == one
    assert fingerprint(Digits(changed(number + 1)), sample=1797) != fingerprint(Digits(), sample=1797)


@pytest.mark.parametrize("length", [0, 1, 2, 10, 63, 64, 65, 1797])
@pytest.mark.parametrize("count", [1, 2, 3, 64])
def test_spread(length, count):
    numbers = list(spread(length, count))
    assert numbers == sorted(set(numbers))
    assert len(numbers) == min(length, count)
    assert set(numbers) <= set(range(length))


def test_more_than_there_are_is_all():
    assert fingerprint(Digits(), sample=9999) == fingerprint(Digits(), sample=1797)
    assert fingerprint(Stream(IMAGES[:5]), sample=9) == fingerprint(Stream(IMAGES[:5]), sample=5)
    assert fingerprint(Stream(IMAGES[:5]), sample=5) != fingerprint(Stream(IMAGES[:6]), sample=6)


def test_numbers_of_items():
    expected = fingerprint(Digits(), sample=[17, 3, 40])
    asked = [{40, 3, 17}, (3, 17, 40), np.array([3, 17, 40]), torch.tensor([3, 17, 40, 3]), iter([17, 40, 3])]
    assert {fingerprint(Digits(), sample=numbers) for numbers in asked} == {expected}
    assert fingerprint(Digits(), sample=[3, 17, 41]) != expected


def test_numbers_count_where_items_are_equal():
    same = data.Subset(Digits(), [3] * 9)
    assert fingerprint(same, sample=[1]) != fingerprint(same, sample=[2])


def test_length_counts():
    assert fingerprint(Digits(), sample=[0]) != fingerprint(Digits(DIGITS.images[:-1]), sample=[0])


@pytest.mark.parametrize("sample", [np.int64(8), 8])
def test_a_number_of_any_type(sample):
    assert fingerprint(Digits(), sample=sample).detail["items"] == 8


def test_data_set_without_a_length():
    class Endless(data.Dataset):
        def __getitem__(self, number):
            return number

    assert fingerprint(Endless(), sample=range(3)).detail["items"] == 3
    with pytest.raises(FingerprintError, match="Endless has no length") as caught:
        fingerprint(Endless(), sample=3)
    assert "sample=range(64)" in str(caught.value)


@pytest.mark.parametrize("kind", [Digits, Stream, lambda: data.DataLoader(Digits())])
def test_sample_is_asked_for(kind):
    with pytest.raises(FingerprintError, match="one by one, which of them count") as caught:
        fingerprint(kind())
    assert "pass sample=64" in str(caught.value)


@pytest.mark.parametrize("sample", [0, -1, True, "64", 2.5, [], [1.5], "", b"a", [[1]]])
def test_sample_that_says_nothing(sample):
    for source in (Digits(), Stream()):
        with pytest.raises(FingerprintError, match=r"sample=.*(no item|neither a number)"):
            fingerprint(source, sample=sample)


@pytest.mark.parametrize("number", [-1, 1797])
def test_item_that_there_is_not(number):
    with pytest.raises(FingerprintError, match=f"names the item {number}, .* from 0 to 1796"):
        fingerprint(Digits(), sample=[5, number])


@pytest.mark.parametrize("source", [Stream(), data.DataLoader(Digits())])
def test_streams_have_no_numbers(source):
    with pytest.raises(FingerprintError, match="by their numbers"):
        fingerprint(source, sample=[1, 2])


def test_order_cannot_be_left_out():
    with pytest.raises(FingerprintError, match="knows no ordered=False"):
        fingerprint(Digits(), sample=3, ordered=False)


def test_known_answer():
    assert fingerprint(Digits(), sample=3).digest == "mlr1-blake3:1f70d707bb6bece98a3ff3189f98bad6"
    assert fingerprint(Stream(), sample=3).digest == "mlr1-blake3:cbf51a937835324c1ada95ae1e00acef"
    assert fingerprint(WHOLE).digest == "mlr1-blake3:fb63d466d538999406a7f0470ff81b61"


# What an item is.


@pytest.mark.parametrize(
    "items",
    [
        [(IMAGES[0], 1), (IMAGES[1], 1), (IMAGES[0], True), (IMAGES[0].float(), 1), [IMAGES[0], 1]],
        [{"a": np.ones(2)}, {"b": np.ones(2)}, {"a": np.zeros(2)}, {"a": {"a": np.ones(2)}}],
        ["a", b"a", None, 1, 1.0, ("a",)],
    ],
)
def test_items_differ_by_value_type_and_structure(items):
    assert len({fingerprint(Stream([item]), sample=1) for item in items}) == len(items)


def test_arrays_tensors_and_images_of_equal_values_are_equal():
    image = pytest.importorskip("PIL.Image")
    pixels = DIGITS.images.astype("u1") * 15
    sources = [pixels, torch.from_numpy(pixels), [image.fromarray(each) for each in pixels]]
    assert len({fingerprint(Stream(list(source)), sample=50) for source in sources}) == 1


def test_item_without_a_fingerprint():
    with pytest.raises(FingerprintError, match=r"item 1 of the .*Stream: objects of type object") as caught:
        fingerprint(Stream([1, object()]), sample=2)
    assert "register" in str(caught.value)


def test_item_that_cannot_be_read(tmp_path):
    class Files(Digits):
        def __getitem__(self, number):
            return (tmp_path / f"{number}.bin").read_bytes()

    (tmp_path / "0.bin").write_bytes(b"a")
    assert fingerprint(Files(), sample=[0])
    with pytest.raises(FingerprintError, match=r"item 7 of the .*Files cannot be read: .*7\.bin"):
        fingerprint(Files(), sample=[0, 7])


# Two readings.


@pytest.mark.parametrize("transform", [flipped, brighter, lambda image: image + random.random()])
def test_random_transforms_are_noticed(transform):
    with pytest.raises(FingerprintError, match=r"item 0 of the .*Digits is another one each time") as caught:
        fingerprint(Digits(transform=brighter), sample=64)
    assert "take the random transform off" in str(caught.value)
    with pytest.raises(FingerprintError, match="another one each time"):
        fingerprint(Digits(transform=transform), sample=64)


def test_what_is_seeded_by_the_item_has_a_value():
    class Seeded(Digits):
        def __getitem__(self, number):
            return self.images[number] + np.random.default_rng(number).random()

    assert fingerprint(Seeded(), sample=9) == fingerprint(Seeded(), sample=9)


def test_what_can_be_read_only_once():
    with pytest.raises(FingerprintError, match=r"item 0 of the .*Once is another one, or missing"):
        fingerprint(Once(), sample=1797)


def test_iteration_that_goes_on_from_generators_has_a_value():
    class Shuffled(Stream):
        def __iter__(self):
            return (self.images[number] for number in torch.randperm(len(self.images)))

    torch.manual_seed(3)
    one = fingerprint(Shuffled(), sample=20)
    assert fingerprint(Shuffled(), sample=20) == one
    torch.manual_seed(4)
    assert fingerprint(Shuffled(), sample=20) != one


# Loaders.


def test_batches():
    items = [Digits()[number] for number in range(8)]
    batches = data.default_collate(items[:4]), data.default_collate(items[4:])
    loader = data.DataLoader(Digits(), batch_size=4)
    one = fingerprint(loader, sample=2)
    assert one.detail["length"] == 450
    assert one == fingerprint(data.DataLoader(Digits(changed(8)), batch_size=4), sample=2)
    assert one != fingerprint(data.DataLoader(Digits(changed(7)), batch_size=4), sample=2)
    assert one != fingerprint(data.DataLoader(Digits(), batch_size=5), sample=2)
    assert one.detail["digests"] == fingerprint(Stream(batches), sample=2).detail["digests"]


@pytest.mark.parametrize("options", [{}, {"persistent_workers": True}, {"pin_memory": True}])
def test_workers(options):
    expected = fingerprint(data.DataLoader(Digits(), batch_size=4), sample=3)
    loader = data.DataLoader(Digits(), batch_size=4, num_workers=2, **options)
    assert fingerprint(loader, sample=3) == expected
    assert loader._iterator is None


def test_workers_of_the_loader_are_left_alone():
    loader = data.DataLoader(Digits(), batch_size=4, num_workers=1, persistent_workers=True)
    iterator = iter(loader)
    first = next(iterator)
    fingerprint(loader, sample=2)
    assert loader._iterator is iterator
    assert not torch.equal(first["image"], next(iterator)["image"])
    assert len(list(iterator)) == 448
    iterator._shutdown_workers()


def test_item_that_a_worker_cannot_read():
    class Files(Digits):
        def __getitem__(self, number):
            raise FileNotFoundError(2, "No such file or directory", f"{number}.bin")

    with pytest.raises(FingerprintError, match=r"item 0 of the .*DataLoader cannot be read: .*0\.bin"):
        fingerprint(data.DataLoader(Files(), num_workers=1), sample=2)


@pytest.mark.parametrize("workers", [0, 2])
def test_order_of_a_shuffled_loader_follows_the_generator(workers):
    def taken(seed, **options):
        torch.manual_seed(seed)
        loader = data.DataLoader(Digits(), batch_size=4, shuffle=True, num_workers=workers, **options)
        return fingerprint(loader, sample=3)

    assert taken(1) == taken(1) != taken(2)
    own = [torch.Generator().manual_seed(7) for _ in range(2)]
    assert taken(1, generator=own[0]) == taken(2, generator=own[1]) == taken(3, generator=own[0])


def test_random_transforms_in_a_loader_follow_the_generator():
    torch.manual_seed(1)
    loader = data.DataLoader(Digits(transform=flipped), batch_size=64)
    one = fingerprint(loader, sample=2)
    assert fingerprint(loader, sample=2) == one
    torch.manual_seed(2)
    assert fingerprint(loader, sample=2) != one


def test_loader_of_a_stream_has_no_length():
    fixed = fingerprint(data.DataLoader(Stream(), batch_size=4), sample=3)
    assert "length" not in fixed.detail


# Without a trace.


def states(*own):
    return [
        torch.get_rng_state().tolist(),
        random.getstate(),
        str(np.random.get_state(legacy=False)),
        *(each.get_state().tolist() if isinstance(each, torch.Generator) else str(each) for each in own),
    ]


class Drawing(Digits):
    """Draws from every generator that there is; nothing of it shows in the items."""

    def __init__(self):
        super().__init__()
        self.own = torch.Generator().manual_seed(5)
        self.rng = np.random.default_rng(5)
        self.legacy = np.random.RandomState(5)
        self.python = random.Random(5)

    def __getitem__(self, number):
        for draw in (random.random, np.random.random, self.rng.random, self.legacy.rand, self.python.random):
            draw()
        torch.rand(())
        torch.rand((), generator=self.own)
        return super().__getitem__(number)

    def states(self):
        held = (self.own.get_state().tolist(), self.python.getstate())
        return [*states(), *held, str(self.rng.bit_generator.state), str(self.legacy.get_state(legacy=False))]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda source: source,
        lambda source: data.DataLoader(source, batch_size=4, shuffle=True),
        lambda source: data.DataLoader(source, batch_size=4, shuffle=True, num_workers=2),
        lambda source: data.DataLoader(data.Subset(data.ConcatDataset([source, source]), range(30))),
    ],
)
def test_generators_are_as_they_were(wrap):
    source = Drawing()
    before = source.states()
    source[0]
    assert source.states() != before
    before = source.states()
    fingerprint(wrap(source), sample=4)
    assert source.states() == before


def test_generators_of_samplers_are_as_they_were():
    own = torch.Generator().manual_seed(5)
    sampler = data.RandomSampler(Digits(), generator=own)
    before = own.get_state().tolist()
    fingerprint(data.DataLoader(Digits(), batch_sampler=data.BatchSampler(sampler, 4, False)), sample=2)
    assert own.get_state().tolist() == before


def test_generators_are_put_back_after_an_error():
    before = states()
    with pytest.raises(FingerprintError):
        fingerprint(Digits(transform=flipped), sample=1797)
    assert states() == before


def test_global_generator_of_another_kind():
    before = np.random.get_bit_generator()
    np.random.set_bit_generator(np.random.PCG64(3))
    try:
        with kept(None) as restore:
            first = np.random.random()
            restore()
            assert np.random.random() == first
        assert np.random.random() == first
    finally:
        np.random.set_bit_generator(before)


# Data sets of tensors are read whole.


@pytest.mark.parametrize("ordered", [True, False])
def test_data_set_of_tensors(ordered):
    def taken(*tensors):
        return fingerprint(data.TensorDataset(*tensors), ordered=ordered)

    one = taken(IMAGES, LABELS)
    assert one == taken(IMAGES.transpose(1, 2).contiguous().transpose(1, 2), LABELS)
    assert one != taken(torch.from_numpy(changed(1000)), LABELS)
    assert one != taken(LABELS, IMAGES)
    assert one != taken(IMAGES.float(), LABELS)
    assert (one == taken(IMAGES.flip(0), LABELS.flip(0))) is not ordered
    assert one != taken(IMAGES, LABELS.flip(0))


def test_a_subset_is_its_items():
    generator = torch.Generator().manual_seed(1)
    train, test = data.random_split(WHOLE, [1400, 397], generator)
    numbers = torch.tensor(train.indices)
    expected = fingerprint(data.TensorDataset(IMAGES[numbers], LABELS[numbers]))
    assert fingerprint(train) == expected
    assert fingerprint(data.Subset(train, range(1400))) == expected
    assert fingerprint(data.Subset(train, range(0, 1400, 2))) == fingerprint(
        data.TensorDataset(IMAGES[numbers[::2]], LABELS[numbers[::2]])
    )
    assert fingerprint(train) != fingerprint(test)
    assert fingerprint(data.Subset(WHOLE, [])) == fingerprint(data.TensorDataset(IMAGES[:0], LABELS[:0]))


def test_a_subset_over_several_blocks():
    many = torch.arange(200_000)
    numbers = torch.randperm(200_000, generator=torch.Generator().manual_seed(2))
    part = data.Subset(data.TensorDataset(many, many.to(torch.bfloat16)), numbers)
    expected = data.TensorDataset(many[numbers], many[numbers].to(torch.bfloat16))
    assert fingerprint(part) == fingerprint(expected)


def test_tensors_that_are_not_what_the_items_are():
    class Doubled(data.TensorDataset):
        def __getitem__(self, number):
            return tuple(2 * part for part in super().__getitem__(number))

    for source in (Doubled(LABELS), data.Subset(Doubled(LABELS), [1, 2]), data.Subset(Digits(), [1, 2])):
        with pytest.raises(FingerprintError, match="which of them count"):
            fingerprint(source)
    assert fingerprint(Doubled(LABELS), sample=8) != fingerprint(data.TensorDataset(LABELS), sample=8)
    assert fingerprint(data.Subset(Digits(), [3, 4]), sample=2) != fingerprint(
        data.Subset(Digits(), [4, 3]), sample=2
    )


# What is told of a difference.


def test_told_which_items_changed():
    first, second = spread(1797, 64)[5], spread(1797, 64)[60]
    once = changed(first)
    assert told(Digits(), Digits(once), sample=64) == f"item {first} changed, of 64 sampled"
    assert told(Digits(), Digits(changed(second, once)), sample=64) == (
        f"items {first}, {second} changed, of 64 sampled"
    )
    assert told(Digits(), Digits(changed(9)), sample=[3, 9, 12]) == "item 9 changed, of 3 sampled"
    assert told(Digits(), Digits(DIGITS.images + 1), sample=9) == "all 9 sampled items changed"
    assert told(Digits(), Digits(changed(5)), sample=1797) == "changed in sampled items 0-127 of 1797"


def test_told_which_batches_changed():
    loaders = [data.DataLoader(Digits(images), batch_size=4) for images in (DIGITS.images, changed(5))]
    assert told(*loaders, sample=3) == "batch 1 changed, of 3 sampled"


def test_told_what_else_changed():
    assert told(Digits(), Digits(DIGITS.images[:-7]), sample=64) == "length 1797 -> 1790"
    one, other = fingerprint(Digits(), sample=64), fingerprint(Digits(), sample=32)
    assert difference(one.detail, other.detail) == "items sampled 64 -> 32"
    other = fingerprint(Digits(), sample=range(64))
    assert difference(one.detail, other.detail) == "other items are sampled"
    tensors = [data.TensorDataset(images, LABELS) for images in (IMAGES, torch.from_numpy(changed(1000)))]
    assert told(*tensors).startswith("column 0 changed in rows 896-1023 of 1797")


def test_detail_is_small():
    for sample in (64, 1797, range(64), range(700)):
        assert len(repr(fingerprint(Digits(), sample=sample).detail)) < 800
