"""TensorFlow as a reader of files: started quietly, without GPUs if another backend computes."""

import keras

from groundwork.quiet import stderr_kept

with stderr_kept():  # it writes log lines while it starts
    import tensorflow as tf

if keras.config.backend() != "tensorflow":
    tf.config.set_visible_devices([], "GPU")

__all__ = ["tf"]
