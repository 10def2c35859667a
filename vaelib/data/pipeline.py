"""Pipelines of batches for training and validation, as `tf.data.Dataset`."""

import itertools
from collections.abc import Iterator

import numpy as np

from vaelib.data.faces import Faces
from vaelib.data.order import ShardOrder
from vaelib.data.pixels import load_pixels
from vaelib.data.reader import tf
from vaelib.data.shards import ShardedPixels


def make_dataset(
    faces: Faces,
    split: str,
    image_size: int = 64,
    batch_size: int = 128,
    shuffle: bool | None = None,
    labels: bool | list[str] = False,
    seed: int = 0,
    flip: bool = False,
    shift: int = 0,
    repeat: bool = False,
    skip: int = 0,
    whole: bool = False,
    part: tuple[int, int] = (0, 1),
    sharded: bool | None = None,
) -> tf.data.Dataset:
    """A pipeline over one split: batches of float32 images (b, size, size, 3) in [0, 1].

    Faces in shards that are shuffled, or shared by processes, come in the order of `ShardOrder`: of
    a pass, the last faces that don't fill a batch are left out.

    Args:
        split: "train", "val" or "test".
        shuffle: over the whole split, in a new order in every epoch; None shuffles only "train".
        labels: True for batches of (images, labels), with labels float32 (b, n_attributes) of 0
            and 1 in the order of `faces.attributes.columns`; or the names of the attributes.
        seed: of the shuffle and the flips.
        flip: mirror half of the faces, different ones in every epoch; only in "train".
        shift: move each image by up to this many pixels, see `random_shift`; only in "train".
            `keras.utils.set_random_seed` seeds it.
        repeat: one epoch after the other, without end.
        skip: batches to leave out first; no image is read for them.
        whole: let every batch have `batch_size` faces. One that the end of an epoch would leave
            short takes its last faces from the epoch after it; without `repeat`, from the first
            faces again. JAX compiles a step anew for each size of a batch.
        part: (i, n) yields only the i-th of n equal parts of each batch; no other image is read,
            and of faces in shards only the shards i, i + n, ... are. The batches and their flips
            do not depend on n. Needs `whole`.
        sharded: see `load_pixels`.

    Raises:
        ValueError: a split or an attribute that `faces` does not have, or broken images; or a
            batch or shards that can't be split into n equal parts.
    """
    process, processes = part
    share = share_of(batch_size, processes)
    names = faces.attributes.columns if isinstance(labels, bool) else labels
    values = faces.attributes.to_numpy("float32")[:, faces.columns(names)]
    rows = faces.rows(faces.file_names(split))
    pixels = load_pixels(faces, image_size, sharded, process, processes)
    shuffle = shuffle if shuffle is not None else split == "train"

    def fetch(batch, draws):
        # The pixels stay in their file as uint8; only this batch is read and becomes float32.
        images = tf.numpy_function(lambda i: pixels[i], [batch], tf.uint8, stateful=False)
        images = tf.ensure_shape(images, (None, image_size, image_size, 3))
        images = tf.cast(images, tf.float32) / 255
        if flip and split == "train":
            mirrored = tf.reshape(draws % 2 == 1, (-1, 1, 1, 1))
            images = tf.where(mirrored, images[:, :, ::-1], images)
        return (images, tf.gather(values, batch)) if labels else images

    def moved(images, *values):
        return (random_shift(images, shift), *values) if labels else random_shift(images, shift)

    if isinstance(pixels, ShardedPixels) and (shuffle or processes > 1):
        order = ShardOrder(rows, pixels.shards, batch_size, seed, shuffle, process, processes)
        batches = _in_order(order, repeat, skip)
    else:
        dataset = tf.data.Dataset.from_tensor_slices(rows)
        if shuffle:
            dataset = dataset.shuffle(len(rows), seed=seed)
        draws = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)  # one for each face
        drawn = tf.data.Dataset.zip(dataset, draws)
        if whole:
            batches = drawn.repeat().batch(batch_size, drop_remainder=True)
            batches = batches if repeat else batches.take(-(-len(rows) // batch_size))
        else:
            batches = drawn.batch(batch_size)
            batches = batches.repeat() if repeat else batches
        batches = batches.skip(skip)
        if processes > 1:
            mine = slice(process * share, (process + 1) * share)
            batches = batches.map(lambda rows, draws: (rows[mine], draws[mine]))
    batches = batches.map(fetch)
    if shift and split == "train":
        batches = batches.map(moved)
    return batches.prefetch(tf.data.AUTOTUNE)


def share_of(batch_size: int, count: int) -> int:
    """The faces of a batch that each of `count` devices or processes gets.

    Raises:
        ValueError: they can't be equal.
    """
    if batch_size % count:
        near = max(count, batch_size // count * count)
        raise ValueError(
            f"A batch of {batch_size} faces can't be split into {count} equal parts: give a batch "
            f"size such as {near}, or another number of processes."
        )
    return batch_size // count


def _in_order(order: ShardOrder, repeat: bool, skip: int) -> tf.data.Dataset:
    """Batches of (rows, draws); each iteration is another pass, if they are not repeated."""
    passes = itertools.count()

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        first = next(passes) * order.batches
        numbers = itertools.count(skip) if repeat else range(first + skip, first + order.batches)
        for number in numbers:
            rows, draws = order.batch(number)
            yield rows, draws

    spec = tf.TensorSpec([None], tf.int64)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=(spec, spec))
    count = tf.data.INFINITE_CARDINALITY if repeat else max(0, order.batches - skip)
    return dataset.apply(tf.data.experimental.assert_cardinality(count))


def with_more(
    dataset: tf.data.Dataset, images: np.ndarray, labels: np.ndarray, count: int, seed: int
) -> tf.data.Dataset:
    """Append further images to each batch (images, labels) of a pipeline without end.

    Args:
        images: uint8 (n, size, size, 3); `count` of them are drawn for a batch, and each is
            shifted by up to 2 pixels.
        labels: (n, n_labels), as those of the pipeline.
        count: images to append to a batch.
        seed: of their order.
    """
    values = labels.astype("float32")

    def append(pair, rows):
        batch, known = pair
        further = tf.numpy_function(lambda i: images[i], [rows], tf.uint8, stateful=False)
        further = tf.ensure_shape(further, (count, *images.shape[1:]))
        further = random_shift(tf.cast(further, tf.float32) / 255)
        return tf.concat([batch, further], 0), tf.concat([known, tf.gather(values, rows)], 0)

    rows = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed).repeat()
    both = tf.data.Dataset.zip(dataset, rows.batch(count, drop_remainder=True))
    return both.map(append)


def random_shift(images: tf.Tensor, by: int = 2) -> tf.Tensor:
    """Shift each image of a batch down and to the right, by random numbers from -by to by pixels.

    Each image has numbers of its own. The new pixels at an edge are the image mirrored there.

    Args:
        images: (n, size, size, 3).
        by: in pixels.
    """
    count, size = tf.shape(images)[0], images.shape[1]
    images = tf.pad(images, [[0, 0], [by, by], [by, by], [0, 0]], "REFLECT")
    for axis in (1, 2):
        start = tf.random.uniform((count, 1), 0, 2 * by + 1, tf.int32)
        images = tf.gather(images, start + tf.range(size), axis=axis, batch_dims=1)
    return images
