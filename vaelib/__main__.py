"""The command line: train a model, evaluate it, prepare large folders, check the wrap-up task."""

import json
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from typer import Argument, Option, Typer

from groundwork import commands
from vaelib import export as exports
from vaelib import metrics, training
from vaelib.celeba import prepare
from vaelib.celeba.kaggle import BY_HAND, fetch_from_kaggle
from vaelib.data.faces import DATA, read_faces
from vaelib.data.pixels import load_pixels
from vaelib.data.shards import ShardedPixels
from vaelib.data.tables import SPLITS
from vaelib.launch import end_with_launch, run_together
from vaelib.marking import mark, table
from vaelib.model import IMAGE_SIZES, LATENT_DIM, SMALLEST_SIGMA
from vaelib.processes import joined
from vaelib.runs import load_model
from vaelib.schedule import LEARNING_RATE
from vaelib.tensorboard import TensorFlowError

UNITS = {  # the decoder of the model does not sharpen; pictures that people see are sharpened
    "negative_elbo": "nats per face, of the model",
    "bpd": "bits per dimension, of the model",
    "sigma": "standard deviation of a pixel in [0, 1], of the model",
    "kl": "nats per face, of the model",
    "rmse": "grey levels (0 to 255), of the model",
    "rmse_sampled": "grey levels (0 to 255), of the model",
    "fc_reconstructions": "of sharpened pictures",
    "fc_prior": "of sharpened pictures",
    "fc_gaussian": "of sharpened pictures",
    "fc_images": "of the images of the split",
}

app = Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
FacesOption = Annotated[str, Option(help='"portraits", "celeba", or a folder.')]


@app.command()
def train(
    out: Annotated[Path, Option(help="Folder for the model, the history and the logs.")],
    faces: FacesOption = "portraits",
    epochs: Annotated[int, Option(min=1, max=10_000)] = 8,
    steps_per_epoch: Annotated[int, Option(min=1, max=100_000)] = 70,
    batch_size: Annotated[int, Option(min=1, max=4096)] = training.BATCH_SIZE,
    image_size: Annotated[Literal[IMAGE_SIZES], Option(help="In pixels.")] = 64,
    latent_dim: Annotated[
        int, Option(min=1, max=4096, help="4096 take 2 GB of memory.")
    ] = LATENT_DIM,
    sigma: Annotated[
        float | None,
        Option(
            min=SMALLEST_SIGMA,
            max=10.0,
            help="Standard deviation of a pixel; left out, it is a running estimate.",
        ),
    ] = None,
    learning_rate: Annotated[
        float, Option(min=1e-9, max=1000.0, help="At its peak.")
    ] = LEARNING_RATE,
    patience: Annotated[
        int | None,
        Option(min=1, max=10_000, help="Stop after so many epochs without a smaller val_loss."),
    ] = None,
    minutes: Annotated[
        float | None,
        Option(min=0.01, max=100_000.0, help="Train for this time, whatever the epochs."),
    ] = None,
    flip: Annotated[bool, Option(help="Mirror half of the training faces.")] = True,
    seed: Annotated[int, Option(**commands.SEEDS)] = 0,
    large: Annotated[
        bool, Option("--large", help="More filters, and residual blocks: three times the work.")
    ] = False,
    precision: Annotated[
        Literal["float32", "bfloat16"],
        Option(help="Of the convolutions; bfloat16 is faster on processors with AMX, and on GPUs."),
    ] = "float32",
    processes: Annotated[
        int | None, Option(min=1, max=100_000, help="How many train together; docs/scale.md.")
    ] = None,
    process: Annotated[int | None, Option(min=0, help="The number of this one, from 0.")] = None,
    coordinator: Annotated[
        str | None, Option(help="HOST:PORT of process 0, for several machines.")
    ] = None,
    timeout: Annotated[
        int, Option(min=1, max=86_400, help="Seconds to wait for all processes at the beginning.")
    ] = 300,
) -> None:
    """Train a VAE, as notebook 03 does.

    After a stop at any moment, the same command continues after the last whole epoch.
    """
    end_with_launch()
    with joined(processes, process, coordinator, timeout, (TensorFlowError,)) as group:
        with group.together():
            data = read_faces(faces)
        training.train(
            training.new_vae(image_size, latent_dim, sigma, seed, large),
            data,
            out,
            epochs,
            steps_per_epoch,
            batch_size,
            learning_rate,
            patience,
            minutes,
            flip,
            seed,
            precision,
            group,
        )
        if group.is_chief:
            print(f"{out / 'vae.keras'} is trained.", flush=True)


@app.command(context_settings={"ignore_unknown_options": True})
def launch(
    command: Annotated[list[str], Argument(help="train and its options.")],
    count: Annotated[
        int, Option("-n", "--processes", min=1, max=256, help="How many processes to start.")
    ] = 2,
) -> None:
    """Start several processes of one training on this machine, to try it: launch -n 2 train ...

    Each gets its share of the cores. When one ends with an error, the others are ended.
    """
    code = run_together(command, count)
    if code:
        raise SystemExit(code)


@app.command()
def evaluate(
    model: Annotated[str, Argument(help='"pretrained", "mine", or a .keras file.')],
    faces: FacesOption = "portraits",
    split: Annotated[str, Option(help="train, val or test.")] = "test",
    fc: Annotated[
        bool,
        Option(
            help="Fréchet distances; for faces of your own, a classifier is trained for them first."
        ),
    ] = True,
) -> None:
    """Measure one model; the last line is JSON.

    ELBO, bits per dimension and RMSE are those of the model, whose decoder does not sharpen. The
    Fréchet distances FC are those of the pictures that people see, which are sharpened.
    """
    vae = load_model(model)
    data = read_faces(faces)
    data.file_names(split)  # an unknown split is an error before a classifier is trained
    if fc:
        metrics.check_split(data, split)
    features = metrics.FaceFeatures(data, vae.image_size) if fc else None
    result = metrics.evaluate(vae, data, split, features)
    result = {
        name: float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in result.items()
    }
    for name, value in result.items():
        print(f"{name:20}{value:>14,} {UNITS.get(name, '')}".rstrip())
    print(json.dumps(result))


@app.command()
def celeba(
    source: Annotated[
        Path | None,
        Option(
            "--from",
            help="An archive, a folder or a .parquet file; left out, Kaggle is asked for CelebA.",
        ),
    ] = None,
    out: Annotated[Path, Option(help="The folder to make.")] = DATA / "celeba",
    subset: Annotated[
        bool, Option("--subset", help="The images are only some of those in the tables.")
    ] = False,
) -> None:
    """Prepare CelebA for the course, in any form in which it is handed out, and check it.

    After a stop at any moment, the same command continues from there.
    """
    source = source or fetch_from_kaggle()
    if source is None:
        print(BY_HAND)
        raise SystemExit(2)
    prepared = prepare(source, out, subset)
    for remark in prepared.remarks:
        print(remark)
    if prepared.left_out:
        print(f"{len(prepared.left_out)} faces are left out: see {out / 'left_out.txt'}.")
    faces = read_faces(out)
    splits = ", ".join(f"{len(faces.file_names(split)):,} {split}" for split in SPLITS)
    print(f"{out} is ready: {len(faces):,} faces, {splits}.")


@app.command()
def export(
    model: Annotated[
        str, Argument(help='"pretrained", "pretrained-128", "mine", or a .keras file.')
    ],
    out: Annotated[Path, Option(help="The folder to make.")],
    faces: FacesOption = "portraits",
    bits: Annotated[
        Literal[32, 16, 8, 6], Option(help="Of each weight in the files.")
    ] = exports.BITS,
    count: Annotated[
        int, Option(min=1, max=1000, help="Test faces that go with the model, to be chosen.")
    ] = exports.COUNT,
) -> None:
    """Export a model for web pages that show its faces without Python.

    The folder gets the encoder and the decoder as ONNX, attribute vectors, some test faces with
    their latents, and an index with sizes and checksums. Faces of real people may be shown in a
    page only if you may publish them.
    """
    exports.check_room_for(out)
    vae = load_model(model)
    data = read_faces(faces)
    people = exports.find_people(data, vae.image_size, count)
    index = exports.export(vae, out, people, exports.find_vectors(vae, model, data), bits)
    for name, entry in index["files"].items():
        print(f"{name:20}{entry['bytes']:>12,} bytes")
    print(
        f"{out} is ready: a model for faces of {vae.image_size} pixels, {len(people.names)} faces."
    )


@app.command()
def shards(
    faces: FacesOption = "portraits",
    image_size: Annotated[Literal[IMAGE_SIZES], Option(help="In pixels.")] = 64,
    process: Annotated[int, Option(min=0, help="Prepare the shards of one process only.")] = 0,
    processes: Annotated[int, Option(min=1, help="The number of processes.")] = 1,
) -> None:
    """Decode a large folder of faces into files of at most 1 GB each, for training.

    Training reads them from then on. After a stop, the same command continues from there. Process
    i of N prepares the shards i, i + N, and so on.
    """
    pixels = load_pixels(read_faces(faces), image_size, True, process, processes)
    assert isinstance(pixels, ShardedPixels)
    count = len(range(process, pixels.shards, processes))
    print(f"{pixels.folder} is ready: {count} of {pixels.shards} shards.")
    if (single := pixels.folder.with_suffix(".npy")).exists():
        print(
            f"{single} holds the same faces, and is read while it is there: delete it if you "
            "want the shards to be read."
        )


@app.command()
def check(
    notebook: Annotated[Path, Argument(help="A learner's task.ipynb.")],
    run: Annotated[
        bool,
        Option("--run", help="Execute it, too: a learner's code may do what you may do."),
    ] = False,
) -> None:
    """Give points for the wrap-up task; docs/teaching/marking.md has the scheme.

    The notebook is only read, unless you say --run. The exit code is 0 if nothing is missing in
    what was looked at, and 1 otherwise.
    """
    marks = mark(notebook, run)
    print(table(marks))
    if not marks.is_full:
        raise SystemExit(1)


def main(app: Typer = app) -> NoReturn:
    """Run a command line; bad input ends with one sentence and exit code 2."""
    commands.run(app, errors=(TensorFlowError,))


if __name__ == "__main__":
    main()
