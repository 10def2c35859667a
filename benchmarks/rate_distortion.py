"""Train a model for each of several sigmas, and measure the rate and the distortion."""

import json
from pathlib import Path
from typing import Annotated

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import matplotlib.pyplot as plt
import pandas as pd
from tqdm import tqdm
from typer import Option, Typer

from groundwork.files import written_whole
from groundwork.progress import on_terminal
from vaelib.__main__ import main
from vaelib.classifier import FaceFeatures
from vaelib.data.faces import Faces, read_faces
from vaelib.data.pipeline import make_dataset
from vaelib.metrics import evaluate
from vaelib.model import LATENT_DIM, VAE
from vaelib.training import BATCH_SIZE, compile_recipe, fit_gaussian, new_vae

TABLE = Path(__file__).resolve().parents[1] / "data" / "rate_distortion.csv"
SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
COLUMNS = (
    "kl",
    "rmse_sampled",
    "bpd",
    "active_units",
    "fc_reconstructions",
    "fc_gaussian",
    "fc_prior",
)

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def train_point(
    faces: Faces,
    sigma: float | None,
    steps: int,
    image_size: int = 64,
    latent_dim: int = LATENT_DIM,
) -> VAE:
    """Train a model by the course's recipe, and fit its Gaussian to the encoded faces.

    Args:
        faces: the folder; the model trains on its training split.
        sigma: standard deviation of the likelihood; None estimates it in training.
        steps: number of batches, of BATCH_SIZE faces each.
    """
    vae = new_vae(image_size, latent_dim, sigma)
    compile_recipe(vae, steps)
    vae.fit(
        make_dataset(faces, "train", image_size, BATCH_SIZE).repeat(),
        steps_per_epoch=steps,
        shuffle=False,  # the pipeline shuffles
        verbose=0,
    )
    fit_gaussian(vae, faces)
    return vae


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw distortion over rate, one point per sigma."""
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    fixed, learned = table[~table["learned"]], table[table["learned"]]
    axes.plot(fixed["kl"], fixed["rmse_sampled"], "o-", color="#0072B2", label="sigma fixed")
    axes.plot(learned["kl"], learned["rmse_sampled"], "*", ms=14, color="#D55E00", label="learned")
    for sigma, rate, distortion in fixed[["sigma", "kl", "rmse_sampled"]].to_numpy():
        axes.annotate(f"{sigma:g}", (rate, distortion), (6, 4), textcoords="offset points")
    axes.margins(0.1)
    axes.set(
        xscale="log", xlabel="rate: KL in nats per face", ylabel="distortion: RMSE in grey levels"
    )
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


@app.command()
def measure(
    faces: Annotated[str, Option(help='"portraits", "celeba", or a folder.')] = "portraits",
    steps: Annotated[int, Option(min=1, max=1_000_000, help="Batches for each point.")] = 300,
    out: Annotated[Path, Option(help="The table, as CSV.")] = TABLE,
    figure: Annotated[Path, Option(help="The figure.")] = Path(
        "build/benchmarks/rate_distortion.png"
    ),
) -> None:
    """Train a model for each sigma, and one that estimates it; the last line is JSON."""
    data = read_faces(faces)
    features = FaceFeatures(data)
    rows = []
    for sigma in tqdm((*SIGMAS, None), "Training", disable=not on_terminal(), leave=False):
        vae = train_point(data, sigma, steps)
        numbers = evaluate(vae, data, "test", features)
        row = {"sigma": round(vae.sigma, 4), "learned": sigma is None}
        rows.append(row | {name: numbers[name] for name in COLUMNS})
        print(", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()), flush=True)
    table = pd.DataFrame(rows).round(4)
    out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out) as aside:
        table.to_csv(aside, index=False)
    draw(table, figure)
    print(table.to_string(index=False))
    print(json.dumps({"steps": steps, "points": table.to_dict("records")}))


if __name__ == "__main__":
    main(app)
