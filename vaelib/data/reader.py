"""TensorFlow as a reader of files: started quietly, without GPUs if another backend computes."""

import sys
from contextlib import nullcontext

import keras

from groundwork.quiet import stderr_kept

# It writes log lines while it starts; as the backend of Keras it has started already.
with nullcontext() if "tensorflow" in sys.modules else stderr_kept():
    import tensorflow as tf

if keras.config.backend() != "tensorflow":
    tf.config.set_visible_devices([], "GPU")

__all__ = ["tf"]
