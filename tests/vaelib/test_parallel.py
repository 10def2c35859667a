"""A model that is spread over devices, and what is refused before it is."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.vaelib.conftest import ROOT
from vaelib import parallel
from vaelib.processes import ALONE, Group


def test_one_device_trains_the_model_itself(new_vae):
    vae = new_vae()
    with parallel.spread(vae, ALONE, compiled=None) as model:
        assert model is vae


@pytest.mark.parametrize(
    ("count", "batch_size", "faces", "parts"),
    [(3, 64, 100, ["64", "3 equal parts", "63"]), (8, 64, 5, ["8 processes", "5 training faces"])],
)
def test_batches_that_do_not_divide_are_refused(count, batch_size, faces, parts, one_sentence):
    with pytest.raises(ValueError) as error:
        parallel.check_parts(Group(count, 0), batch_size, faces)
    one_sentence(error.value, *parts)


# Two devices in one process: the same steps, and the model at the end has their result.
CODE = """
import numpy as np
import vaelib
from vaelib.parallel import device_count, spread
from vaelib.processes import ALONE
from vaelib.training import compiled, reseed
settings = {"epochs": 4, "steps_per_epoch": 3, "minutes": None, "learning_rate": 1e-3}
settings["precision"] = "float32"
images = np.random.default_rng(0).random((16, 32, 32, 3), "float32")
import keras
keras.utils.set_random_seed(0)
vae = vaelib.VAE(vaelib.build_encoder(32, 4), vaelib.build_decoder(32, 4))
compiled(vae, settings)
with spread(vae, ALONE, lambda copy: compiled(copy, settings)) as model:
    reseed(model, 0, 0)
    history = model.fit(images, batch_size=8, epochs=2, shuffle=False, verbose=0).history
print(device_count(ALONE), model is vae, int(vae.optimizer.iterations))
print(history["loss"], float(np.abs(vae.encode(images)).sum()))
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
def test_two_devices_of_one_process_give_what_one_gives():
    found = []
    for devices in (1, 2):
        done = subprocess.run(
            [sys.executable, "-c", CODE],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "KERAS_BACKEND": "jax",
                "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        facts, numbers = done.stdout.splitlines()[-2:]
        assert facts == f"{devices} {devices == 1} 4"
        losses, latents = numbers.split("] ")
        found.append([*map(float, losses.strip("[").split(",")), float(latents)])
    assert found[1] == pytest.approx(found[0], rel=1e-4)
