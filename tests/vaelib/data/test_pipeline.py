"""Pipelines of batches: their order, labels, mirrors, and where they begin."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaelib.data import pipeline
from vaelib.data.faces import read_faces
from vaelib.data.pipeline import make_dataset, random_shift
from vaelib.data.pixels import load_images, load_pixels

COLOURS = ["Smiling", "Male", "Young"]


def epoch(dataset) -> np.ndarray:
    return np.concatenate([batch.numpy() for batch in dataset])


def rows_of(batchwise: np.ndarray, images: np.ndarray) -> list[int]:
    """Which row of `images` each face is; the faces all differ."""
    rows = {image.tobytes(): row for row, image in enumerate(images)}
    assert len(rows) == len(images)
    return [rows[image.tobytes()] for image in batchwise]


@pytest.mark.parametrize(
    ("split", "expected"),
    [("train", range(17)), ("val", range(17, 24)), ("test", range(24, 30))],
)
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_an_epoch_is_every_face_of_the_split_once(faces, images, split, expected, batch_size):
    dataset = make_dataset(faces, split, 32, batch_size)
    for _ in range(2):
        assert sorted(rows_of(epoch(dataset), images)) == list(expected)


def test_batches_are_float32_and_the_last_one_is_ragged(faces):
    batches = list(make_dataset(faces, "train", 32, 5))
    assert [len(batch) for batch in batches] == [5, 5, 5, 2]
    assert {batch.dtype.name for batch in batches} == {"float32"}
    assert make_dataset(faces, "train", 32, 5).cardinality() == 4
    assert make_dataset(faces, "train", 32, 5).element_spec.shape[1:] == (32, 32, 3)


def test_training_faces_come_in_a_new_order_each_epoch(faces, images):
    dataset = make_dataset(faces, "train", 32, 5)
    orders = [tuple(rows_of(epoch(dataset), images)) for _ in range(3)]
    assert len(set(orders)) == 3
    assert tuple(range(17)) not in orders


def test_the_shuffle_reaches_over_the_whole_split(draw_folder, tmp_path):
    """The last face comes first about as often as any other."""
    faces = read_faces(draw_folder(tmp_path / "many", 40, size=(8, 8)))
    images = load_images(faces, image_size=32)
    dataset = make_dataset(faces, "train", 32, 36)
    orders = np.array([rows_of(epoch(dataset), images) for _ in range(60)])
    places = np.argsort(np.argsort(faces.file_names("train")))  # 0 to 35 in file order
    assert len(places) == orders.shape[1]
    last = max(orders[0])
    place = np.nonzero(orders == last)[1]
    assert place.min() < 6
    assert place.max() > 29
    assert place.mean() == pytest.approx(17.5, abs=6)  # standard error 1.4


def test_the_same_seed_shuffles_alike_and_another_does_not(faces, images):
    one, two, other = (make_dataset(faces, "train", 32, 5, seed=seed) for seed in (7, 7, 8))
    orders = [[rows_of(epoch(dataset), images) for _ in range(2)] for dataset in (one, two, other)]
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[2][0]


def test_val_and_test_keep_their_order_unless_told_otherwise(faces, images):
    assert rows_of(epoch(make_dataset(faces, "val", 32, 3)), images) == list(range(17, 24))
    assert rows_of(epoch(make_dataset(faces, "train", 32, 3, shuffle=False)), images) == list(
        range(17)
    )
    shuffled = rows_of(epoch(make_dataset(faces, "test", 32, 6, shuffle=True)), images)
    assert sorted(shuffled) == list(range(24, 30))


def test_labels_belong_to_their_images(faces, images, read_colours):
    table = faces.attributes.to_numpy("float32")
    seen = 0
    for batch, labels in make_dataset(faces, "train", 32, 5, labels=True):
        assert labels.dtype == "float32"
        np.testing.assert_array_equal(labels, table[rows_of(batch.numpy(), images)])
        np.testing.assert_array_equal(read_colours(batch), labels[:, :3] == 1)
        seen += len(labels)
    assert seen == 17


def test_with_and_without_labels_the_images_are_the_same(faces):
    plain = make_dataset(faces, "train", 32, 5, seed=3)
    labelled = make_dataset(faces, "train", 32, 5, seed=3, labels=True)
    for a, (b, _) in zip(plain, labelled, strict=True):
        np.testing.assert_array_equal(a, b)


def test_labels_can_be_some_attributes_in_any_order(faces):
    everything = make_dataset(faces, "train", 32, 5, seed=3, labels=True)
    names = ["Young", "Smiling"]
    some = make_dataset(faces, "train", 32, 5, seed=3, labels=names)
    columns = [list(faces.attributes).index(name) for name in names]
    for (_, labels), (_, chosen) in zip(everything, some, strict=True):
        np.testing.assert_array_equal(labels.numpy()[:, columns], chosen)


def test_a_label_that_is_not_there_is_one_sentence(faces, one_sentence):
    with pytest.raises(ValueError) as error:
        make_dataset(faces, "train", 32, labels=["Smiling", "Eyeglases"])
    one_sentence(error.value, faces.folder, "Eyeglases", "did you mean Eyeglasses?")


def test_a_pipeline_can_be_repeated(faces, images):
    batches = list(make_dataset(faces, "val", 32, 4).repeat(2))
    assert [len(batch) for batch in batches] == [4, 3, 4, 3]


def first(dataset, count: int) -> list[np.ndarray]:
    return [batch.numpy() for batch in dataset.take(count)]


@pytest.mark.parametrize("flip", [False, True])
def test_skipping_batches_gives_what_comes_after_them(faces, flip):
    """Over the ends of epochs, too: 17 faces are 4 batches."""
    options = {"batch_size": 5, "seed": 3, "repeat": True, "flip": flip}
    whole = first(make_dataset(faces, "train", 32, **options), 14)
    for skip in (1, 4, 9):
        rest = first(make_dataset(faces, "train", 32, skip=skip, **options), 14 - skip)
        for a, b in zip(whole[skip:], rest, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_skipped_batch_reads_no_image(faces, monkeypatch):
    reads = []

    class Pixels:
        def __getitem__(self, rows):
            reads.append(len(rows))
            return np.zeros((len(rows), 32, 32, 3), "uint8")

    monkeypatch.setattr(pipeline, "load_pixels", lambda *_: Pixels())
    list(make_dataset(faces, "train", 32, 5, skip=3))
    assert reads == [2]


def test_a_repeated_pipeline_shuffles_each_epoch_anew(faces, images):
    batches = first(make_dataset(faces, "train", 32, 17, repeat=True), 3)
    orders = [rows_of(batch, images) for batch in batches]
    assert all(sorted(order) == list(range(17)) for order in orders)
    assert orders[0] != orders[1] != orders[2]


def test_whole_batches_take_their_last_faces_from_the_next_epoch(faces, images):
    dataset = make_dataset(faces, "train", 32, 5, repeat=True, whole=True)
    rows = [row for batch in first(dataset, 17) for row in rows_of(batch, images)]
    assert len(rows) == 5 * 17
    epochs = [rows[i : i + 17] for i in range(0, 5 * 17, 17)]
    assert all(sorted(order) == list(range(17)) for order in epochs)
    assert epochs[0] != epochs[1]


def test_whole_batches_without_a_repeat_are_filled_with_the_first_faces(faces, images):
    batches = epoch(make_dataset(faces, "train", 32, 5, shuffle=False, whole=True))
    rows = rows_of(np.reshape(batches, (-1, *images.shape[1:])), images)
    assert rows == [*range(17), 0, 1, 2]


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("options", [{}, {"repeat": True, "skip": 3}])
def test_parts_of_a_batch_are_the_batch_whatever_their_number(faces, count, options):
    def batches(part):
        dataset = make_dataset(
            faces, "train", 32, 10, seed=3, flip=True, whole=True, part=part, **options
        )
        return first(dataset, 2)

    parts = [batches((index, count)) for index in range(count)]
    for number, batch in enumerate(batches((0, 1))):
        together = np.concatenate([part[number] for part in parts])
        np.testing.assert_array_equal(together, batch)


def test_a_part_reads_only_its_own_faces(faces, monkeypatch):
    reads = []

    class Pixels:
        def __getitem__(self, rows):
            reads.append(len(rows))
            return np.zeros((len(rows), 32, 32, 3), "uint8")

    monkeypatch.setattr(pipeline, "load_pixels", lambda *_: Pixels())
    list(make_dataset(faces, "train", 32, 6, whole=True, part=(1, 3)))
    assert reads == [2, 2, 2]


def test_a_batch_that_has_no_equal_parts_is_refused(faces, one_sentence):
    with pytest.raises(ValueError) as error:
        make_dataset(faces, "train", 32, 64, whole=True, part=(0, 3))
    one_sentence(error.value, "64", "3 equal parts", "63")


def test_half_of_the_faces_are_mirrored_and_others_each_epoch(faces, images):
    straight, mirrored = images, images[:, :, ::-1]
    dataset = make_dataset(faces, "train", 32, 17, repeat=True, flip=True, shuffle=False)
    flipped = []
    for batch in first(dataset, 20):
        is_mirrored = np.array([np.array_equal(a, b) for a, b in zip(batch, mirrored)])
        is_straight = np.array([np.array_equal(a, b) for a, b in zip(batch, straight)])
        assert (is_mirrored ^ is_straight).all()
        flipped.append(is_mirrored)
    assert np.mean(flipped) == pytest.approx(0.5, abs=0.13)  # 340 coins: five deviations
    assert len({tuple(epoch) for epoch in flipped}) > 15


def test_held_out_faces_are_never_mirrored(faces):
    for split in ("val", "test"):
        plain, flip = (epoch(make_dataset(faces, split, 32, 5, flip=f)) for f in (False, True))
        np.testing.assert_array_equal(plain, flip)


def shift_of(moved: np.ndarray, image: np.ndarray) -> tuple[int, int]:
    """By how many pixels an image was moved, down and to the right."""
    inside = np.s_[4:-4, 4:-4]
    found = [
        (down, right)
        for down in range(-4, 5)
        for right in range(-4, 5)
        if np.array_equal(np.roll(image, (down, right), (0, 1))[inside], moved[inside])
    ]
    assert len(found) == 1
    return found[0]


def test_shifts_are_small_and_each_face_has_its_own(faces, images):
    keras.utils.set_random_seed(0)
    dataset = make_dataset(faces, "train", 32, 5, shuffle=False, repeat=True, shift=2)
    shifts = [
        shift_of(moved, image)
        for batches in (first(dataset, 8)[:4], first(dataset, 8)[4:])
        for moved, image in zip(np.concatenate(batches), images)
    ]
    assert {abs(by) for shift in shifts for by in shift} == {0, 1, 2}
    assert len(set(shifts)) > 12  # of 25, for 34 faces


def test_held_out_faces_are_never_shifted(faces):
    for split in ("val", "test"):
        plain, moved = (epoch(make_dataset(faces, split, 32, 5, shift=by)) for by in (0, 2))
        np.testing.assert_array_equal(plain, moved)


def test_shifting_in_the_pipeline_is_shifting_its_batches(faces):
    """So that a classifier trained before has the numbers of one trained now."""
    columns = [2, 0]
    names = [list(faces.attributes)[column] for column in columns]
    keras.utils.set_random_seed(5)
    by_hand = make_dataset(faces, "train", 32, 5, seed=3, labels=True).map(
        lambda images, labels: (random_shift(images, 2), tf.gather(labels, columns, axis=1))
    )
    expected = [[part.numpy() for part in batch] for batch in by_hand.repeat().take(9)]
    keras.utils.set_random_seed(5)
    dataset = make_dataset(faces, "train", 32, 5, seed=3, labels=names, shift=2)
    for batch, (images, labels) in zip(dataset.repeat().take(9), expected, strict=True):
        np.testing.assert_array_equal(batch[0], images)
        np.testing.assert_array_equal(batch[1], labels)


def test_further_images_come_at_the_end_of_each_batch():
    first = tf.data.Dataset.from_tensors((tf.zeros((3, 8, 8, 3)), tf.zeros((3, 2)))).repeat()
    images = np.full((5, 8, 8, 3), 51, "uint8") * np.arange(1, 6, dtype="uint8").reshape(
        -1, 1, 1, 1
    )
    labels = np.stack([np.arange(5) % 2, np.ones(5)], axis=1)
    batches = pipeline.with_more(first, images, labels, 2, seed=0)
    seen = []
    for pictures, known in batches.take(10):
        assert pictures.shape == (5, 8, 8, 3)
        assert not pictures[:3].numpy().any() and not known[:3].numpy().any()
        rows = np.round(5 * pictures[3:, 4, 4, 0].numpy()).astype(int) - 1
        np.testing.assert_array_equal(known[3:], labels[rows])
        seen.extend(rows)
    assert sorted(seen) == sorted([*range(5)] * 4)  # all of them, one pass after the other


# Faces in shards


@pytest.fixture
def many(draw_folder, tmp_path):
    """100 faces, 90 to train on, in 8 shards; their pixels."""
    faces = read_faces(draw_folder(tmp_path / "many", 100, size=(8, 8)))
    return faces, np.asarray(load_pixels(faces, 32, sharded=True)).astype("float32") / 255


@pytest.mark.parametrize("flip", [False, True])
def test_in_shards_skipping_batches_gives_what_comes_after_them(many, flip):
    options = {"batch_size": 8, "seed": 3, "repeat": True, "flip": flip}
    whole = first(make_dataset(many[0], "train", 32, **options), 30)
    for skip in (1, 9, 25):
        rest = first(make_dataset(many[0], "train", 32, skip=skip, **options), 30 - skip)
        np.testing.assert_array_equal(whole[skip:], rest)


def test_in_shards_training_faces_come_in_a_new_order_each_epoch(many):
    faces, images = many
    dataset = make_dataset(faces, "train", 32, 8)
    orders = [rows_of(epoch(dataset), images) for _ in range(3)]
    assert orders[0] != orders[1] != orders[2]
    training = set(faces.rows(faces.file_names("train")))
    for order in orders:
        assert set(order) <= training
        assert len(set(order)) == len(order) == 8 * dataset.cardinality() > 40


def test_in_shards_held_out_faces_keep_their_order_and_their_ragged_end(many):
    faces, images = many
    dataset = make_dataset(faces, "val", 32, 3)
    assert rows_of(epoch(dataset), images) == list(faces.rows(faces.file_names("val")))


def test_in_shards_labels_belong_to_their_images(many):
    faces, images = many
    table = faces.attributes.to_numpy("float32")
    for batch, labels in make_dataset(faces, "train", 32, 8, labels=True):
        np.testing.assert_array_equal(labels, table[rows_of(batch.numpy(), images)])


def test_in_shards_half_of_the_faces_are_mirrored(many):
    faces, images = many
    straight = {image.tobytes() for image in images}
    mirrored = {image[:, ::-1].tobytes() for image in images}
    batches = first(make_dataset(faces, "train", 32, 8, flip=True, repeat=True), 40)
    seen = [image.tobytes() for image in np.concatenate(batches)]
    assert set(seen) <= straight | mirrored
    assert np.mean([image in mirrored for image in seen]) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("processes", [2, 4])
def test_in_shards_processes_together_have_the_batches_of_one(many, processes):
    options = {"batch_size": 8, "seed": 3, "repeat": True, "flip": True}
    whole = first(make_dataset(many[0], "train", 32, **options), 12)
    shares = [
        first(make_dataset(many[0], "train", 32, **options, part=(i, processes)), 12)
        for i in range(processes)
    ]
    for batch, *parts in zip(whole, *shares):
        together = sorted(image.tobytes() for part in parts for image in part)
        assert together == sorted(image.tobytes() for image in batch)


def test_in_shards_processes_share_held_out_faces(many):
    faces, images = many
    held_out = set(faces.rows(faces.file_names("val")))
    shares = [epoch(make_dataset(faces, "val", 32, 2, part=(i, 2))) for i in range(2)]
    rows = [row for share in shares for row in rows_of(share, images)]
    assert len(rows) == len(set(rows)) > 0 and set(rows) <= held_out


def test_processes_decode_shards_of_their_own(folder, tmp_path):
    faces = read_faces(shutil.copytree(folder, tmp_path / "copy"))
    for path in (faces.folder / ".cache").glob("32-*"):
        path.unlink()
    for i, count in enumerate((4, 8)):
        make_dataset(faces, "train", 32, 8, part=(i, 2), sharded=True)
        assert len(list((faces.folder / ".cache").glob("32-*.shards/*.npy"))) == count
    with pytest.raises(ValueError, match="can't be split into 3 equal parts"):
        make_dataset(faces, "train", 32, 8, part=(0, 3))
