"""Train, break off in the middle, and go on."""

import keras
import numpy as np
import pandas as pd

from vaelib import training

OPTIONS = {"epochs": 4, "steps_per_epoch": 3, "batch_size": 8, "learning_rate": 1e-2, "flip": True}


class Stopped(Exception):
    pass


def stopping(monkeypatch, epoch: int, batch: int):
    """Lets every training from now on break off after this epoch and batch, both from 0."""

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, now, logs=None):
            self.now = now

        def on_train_batch_end(self, step, logs=None):
            if (self.now, step) == (epoch, batch):
                raise Stopped

    real = training.run_callbacks
    monkeypatch.setattr(training, "run_callbacks", lambda *a: [Stop(), *real(*a)])


def check_same(history: pd.DataFrame, whole: pd.DataFrame) -> None:
    assert history.index.tolist() == [1, 2, 3, 4]
    columns = [name for name in whole if name != "seconds"]
    np.testing.assert_allclose(history[columns], whole[columns], rtol=1e-3)
    assert (np.diff(history["seconds"]) > 0).all()


def damage(path, kind: str) -> None:
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes({"half": whole[:middle], "empty": b"", "bit": flipped}[kind])
