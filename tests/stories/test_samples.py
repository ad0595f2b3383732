"""A data set of torch: the test says which of its items count."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

DATASET = """
import random

import torch
from sklearn.datasets import load_digits
from torch.utils.data import Dataset


class Digits(Dataset):
    def __init__(self):
        digits = load_digits()
        self.images = torch.from_numpy(digits.images)
        self.labels = digits.target
        self.transform = None

    def __len__(self):
        return len(self.images)

    def __getitem__(self, number):
        image = self.images[number]
        if self.transform is not None:
            image = self.transform(image)
        return image, int(self.labels[number])
"""
TEST = """
import torch
from digits import Digits
from torch.utils.data import DataLoader


def test_model(mlrepro):
    train = mlrepro.data("train", Digits(), sample=64)
    batches = mlrepro.data("batches", DataLoader(train, batch_size=32, shuffle=True), sample=4)
    image, label = next(iter(batches))
    mlrepro.metric("first", image.mean().item())
    mlrepro.metric("next", torch.rand(()).item())
"""


@pytest.fixture
def project(empty):
    return empty.write({"digits.py": DATASET, "test_digits.py": TEST, "conftest.py": ""})


# What the readings draw from generators must not be seen by the model.
@pytest.mark.slow
def test_what_is_trained_is_the_same_with_and_without(project):
    shown = project.edit(
        "test_digits.py", "def test_model(mlrepro):", "def test_model(mlrepro, capsys):"
    ).edit(
        "test_digits.py",
        '    mlrepro.metric("first"',
        '    with capsys.disabled():\n        print("first", image.sum().item())\n    mlrepro.metric("first"',
    )

    def first(result):
        return next(line for line in result.ok().output.splitlines() if "first" in line).split()[-1]

    assert first(shown.pytest()) == first(shown.update())


@pytest.mark.slow
def test_reproduced_changed_explained_and_accepted(project):
    project.update().ok()
    project.check().ok()
    labels = "self.labels = digits.target"
    changed = project.edit("digits.py", labels, f"self.images[57] += 1\n        {labels}")
    result = changed.check().red()
    assert result.drifts() == {"data.train"}
    assert "item 57 changed, of 64 sampled" in result.output
    changed.update().ok()
    changed.check().ok()
    in_order = changed.edit("test_digits.py", "shuffle=True", "shuffle=False").check().red()
    assert "all 4 sampled batches changed" in in_order.output


@pytest.mark.slow
def test_without_a_sample_and_with_a_random_transform(project):
    asked = project.edit("test_digits.py", "Digits(), sample=64", "Digits()").check().red()
    assert "pass sample=64" in asked.output
    random = project.edit(
        "digits.py", "self.transform = None", "self.transform = lambda image: image * random.random()"
    )
    result = random.update().red()
    assert "data 'train': item 0 of the digits.Digits is another one each time it is read" in result.output
    assert "take the random transform off" in result.output
    assert "samples.py" not in result.output
