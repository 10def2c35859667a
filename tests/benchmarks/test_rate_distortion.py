"""The rate-distortion benchmark: the models that it trains, and its figure."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.rate_distortion import SIGMAS, draw, measure, train_point
from vaelib.data.faces import read_faces
from vaelib.data.pixels import load_images
from vaelib.metrics import rmse

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "data" / "rate_distortion.csv"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    from PIL import Image

    folder = tmp_path_factory.mktemp("faces")
    (folder / "img_align_celeba").mkdir()
    rng = np.random.default_rng(0)
    lines = ["40", "Smiling"]
    for i in range(40):
        grey = np.uint8(np.tile(rng.integers(0, 256, 3), (40, 40, 1)))
        Image.fromarray(grey).save(folder / "img_align_celeba" / f"{i:06}.jpg")
        lines.append(f"{i:06}.jpg {1 if i % 2 else -1}")
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    return read_faces(folder)


@pytest.mark.slow
def test_a_small_sigma_pays_more_nats_for_less_error(faces):
    images = load_images(faces, faces.file_names("train"), 32)
    found = {}
    for sigma in (0.05, 5.0):
        vae = train_point(faces, sigma, steps=25, image_size=32, latent_dim=4)
        assert vae.sigma == pytest.approx(sigma)
        assert not np.allclose(vae.latent_factor, np.eye(4))  # its Gaussian is known
        kl = vae.evaluate(images, verbose=0, return_dict=True)["kl"]
        found[sigma] = (kl, rmse(images, vae.reconstruct(images)))
    assert found[0.05][0] > found[5.0][0]
    assert found[0.05][1] < found[5.0][1]


def test_without_a_sigma_it_is_learned(faces):
    vae = train_point(faces, None, steps=2, image_size=32, latent_dim=4)
    assert vae.estimates_sigma


def test_the_figure(tmp_path):
    rows = [(0.1, False, 200.0, 15.0), (1.0, False, 40.0, 30.0), (0.07, True, 220.0, 14.0)]
    table = pd.DataFrame(rows, columns=["sigma", "learned", "kl", "rmse_sampled"])
    draw(table, tmp_path / "new" / "curve.png")
    assert (tmp_path / "new" / "curve.png").stat().st_size > 10_000


def test_the_table_of_the_course_is_a_trade_off():
    """The larger sigma, the fewer nats and the larger the error, in every row that is kept."""
    table = pd.read_csv(TABLE)
    fixed = table[~table["learned"]]
    assert tuple(fixed["sigma"]) == SIGMAS
    assert (np.diff(fixed["kl"]) < 0).all()
    assert table["learned"].sum() == 1


def test_a_folder_that_is_not_there_is_an_error_and_writes_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no/such/folder"):
        measure("no/such/folder", out=tmp_path / "table.csv")
    assert not list(tmp_path.iterdir())
