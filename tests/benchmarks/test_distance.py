"""The benchmark of FC: pictures with known faults, their order, and what the old features miss."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks import distance
from vaelib import classifier
from vaelib.classifier import FaceFeatures
from vaelib.data.faces import read_faces
from vaelib.data.pixels import load_images

SIZE = 64


class Model:
    """Reconstructs pictures a little darker, and draws plain ones."""

    image_size = SIZE

    def reconstruct(self, images):
        return 0.9 * images

    def sample(self, count, seed=0, prior=False):
        rng = np.random.default_rng(seed)
        return rng.random((count, 1, 1, 3), "float32") * np.ones((1, SIZE, SIZE, 1), "float32")


@pytest.fixture
def images():
    return np.random.default_rng(0).random((20, SIZE, SIZE, 3), "float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A bright square, mostly at the left; "Smiling" says that it is there, "Young" that it is red.

    At the right it stands 16 pixels further, one place of the last feature map.
    """
    folder = tmp_path_factory.mktemp("distance") / "faces"
    (folder / "img_align_celeba").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines, splits = [], []
    for i in range(100):
        left, red = i % 10 != 0, rng.random() < 0.5
        picture = np.full((SIZE, SIZE, 3), 100 + rng.integers(-3, 4), "uint8")
        start = 16 if left else 32
        picture[24:40, start : start + 16] = (250, 130 if red else 250, 130)
        name = f"{i + 1:06}.jpg"
        Image.fromarray(picture).save(folder / "img_align_celeba" / name, quality=95)
        lines.append(f"{name} {1 if left else -1} {1 if red else -1}")
        splits.append(f"{name} {0 if i < 60 else 1 if i < 70 else 2}")
    (folder / "list_attr_celeba.txt").write_text("\n".join(["100", "Smiling Young", *lines]) + "\n")
    (folder / "list_eval_partition.txt").write_text("\n".join(splits) + "\n")
    return folder


def test_every_experiment_of_the_chains_is_made(images):
    made = distance.experiments(images, Model(), samples=7)
    assert {name for chain in distance.CHAINS.values() for name in chain} == set(made)
    for name, make in made.items():
        count = 7 if name.startswith(("fitted Gaussian", "N(0, I)")) else len(images)
        assert np.shape(make()) == (count, SIZE, SIZE, 3)


def test_halves_and_mouths_come_from_the_next_face(images):
    joined = distance.join_halves(images)
    np.testing.assert_array_equal(joined[3, :, :32], images[3, :, :32])
    np.testing.assert_array_equal(joined[3, :, 32:], images[4, :, 32:])
    pasted = distance.exchange_mouths(images)
    changed = (pasted[3] != images[3]).any(axis=-1)
    assert changed[45, 30] and not changed[20].any() and not changed[:, 10].any()
    np.testing.assert_array_equal(pasted[3][changed], images[4][changed])


def test_few_people_are_repeated(images):
    few = distance.repeat_people(images, 3)
    assert len(few) == len(images)
    assert len(np.unique(few, axis=0)) == 3


def test_noise_has_the_levels_that_are_asked_for(images):
    noise = distance.add_noise(images, 8) - images
    assert 255 * noise.std() == pytest.approx(8, rel=0.01)


def test_chains_out_of_order_are_named():
    names = list(dict.fromkeys(name for chain in distance.CHAINS.values() for name in chain))
    rising = pd.Series(range(len(names)), names, dtype=float)
    assert distance.broken(rising) == []
    rising["noise 16"] = rising["noise 8"]
    assert distance.broken(rising) == ["more noise"]


@pytest.mark.slow
def test_parts_at_other_places_are_seen_but_not_by_averages(folder, monkeypatch):
    train = classifier.train_classifier

    def short(faces, attributes, steps, image_size, faults=False):
        return train(faces, attributes, 60, SIZE, batch_size=16, faults=faults)

    for module in (classifier, distance):
        monkeypatch.setattr(module, "train_classifier", short)
    faces = read_faces(folder)
    new = FaceFeatures(faces, SIZE)
    old = distance.Averaged(faces, new.attributes, SIZE)
    test = load_images(faces, faces.file_names("test"), SIZE)
    moved = np.roll(test, 16, axis=2)
    assert new.distance(moved) > 10 * new.distance(test) + 1
    spread = np.trace(old.reference[1])
    assert old.distance(moved) < 0.1 * spread + 3 * old.distance(test)


@pytest.mark.slow
def test_the_command_prints_a_table_and_json(folder, monkeypatch, tmp_path, run_here, capsys):
    monkeypatch.setattr(distance.vaelib, "load_model", lambda name: Model())

    def untrained(faces, attributes, steps, image_size, faults=False):
        return classifier.build_classifier(len(attributes) + (3 if faults else 0), SIZE)

    for module in (classifier, distance):
        monkeypatch.setattr(module, "train_classifier", untrained)
    picture = tmp_path / "new" / "sheet.png"
    assert run_here(distance.app, "--faces", folder, "--samples", 7, "--figure", picture) == 0
    *table, last = capsys.readouterr().out.splitlines()
    result = json.loads(last)
    assert set(result["distances"]) == set(result["out_of_order"]) == {"old", "new"}
    assert any(line.startswith("halves of two faces") for line in table)
    assert picture.stat().st_size > 10_000
