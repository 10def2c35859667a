"""Train models on even and on skewed sets of faces, and measure whom they fail, for notebook 8."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import numpy as np
import pandas as pd
from PIL import Image
from typer import Option, Typer

from groundwork.files import write_whole, written_whole
from vaelib.__main__ import main
from vaelib.archives import load_archive
from vaelib.counterfactuals import Cases, read_dials, redraw
from vaelib.data.faces import Faces, read_faces
from vaelib.data.pixels import load_images, load_pixels
from vaelib.editing import choose_strengths, improved_editor, measure
from vaelib.groups import (
    choose_faces,
    density_weights,
    draw_batches,
    face_errors,
    group_errors,
    label_weights,
)
from vaelib.judge import Judge
from vaelib.model import VAE
from vaelib.pictures import image_grid
from vaelib.runs import identity_of, without_optimizer
from vaelib.training import BATCH_SIZE, compile_recipe, new_vae

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "data" / "groups"
DARK = 0.6  # of the dial "skin": about a fifth of the portraits lie above
FACES_OF_A_SET = 4000
REDRAWN = 200  # test people who are drawn again
VERSIONS: dict[str, tuple[dict[str, bool], dict[str, float]]] = {
    "light": ({}, {"skin": 0.2}),
    "dark": ({}, {"skin": 0.8}),
    "young": ({}, {"age": 0.15}),
    "old": ({}, {"age": 0.85}),
    "woman": ({"Male": False}, {}),
    "man": ({"Male": True}, {}),
}
"""How the people are drawn again: attributes switched, dials turned; all else stays as it is."""
ATTRIBUTES = ("Smiling", "Eyeglasses", "Bangs", "Blond_Hair")
EDITED = ("even", "skewed", "even_again", "skewed_again")
SHOWN = 8  # people in faces.png

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Plan:
    """How one model is trained.

    Attributes:
        share: of the group in the training set.
        drawn: share of the group in what is drawn from the set, by its label; None draws all alike.
        by_density: draw faces by the density of their latents in the model `skewed`, without label.
        seed: of the model's first weights and of all draws.
    """

    share: float
    drawn: float | None = None
    by_density: bool = False
    seed: int = 0


PLANS = {
    "even": Plan(0.5),
    "skewed": Plan(0.02),
    "more": Plan(0.1),
    "by_label": Plan(0.02, drawn=0.1),
    "half_by_label": Plan(0.02, drawn=0.5),
    "by_density": Plan(0.02, by_density=True),
    "even_again": Plan(0.5, seed=1),
    "skewed_again": Plan(0.02, seed=1),
}


@app.command()
def groups(
    faces: Annotated[str, Option(help='"portraits", or a folder of portraits.')] = "portraits",
    steps: Annotated[int, Option(min=1, max=1_000_000, help="Batches for each model.")] = 400,
    count: Annotated[
        int, Option(min=50, max=1_000_000, help="Faces in each training set.")
    ] = FACES_OF_A_SET,
    out: Annotated[
        Path, Option(help="The folder of the results: errors.csv, edits.csv, faces.png.")
    ] = OUT,
    models: Annotated[
        Path, Option(help="Where models are kept: after a stop, those that are there are used.")
    ] = Path("build/groups"),
) -> None:
    """Train the models of notebook 8, and measure them on test people; the last line is JSON."""
    data = read_faces(faces)
    dials = read_dials(data, data.file_names(), ["skin", "age"])
    if dials is None:
        raise ValueError(
            f"{data.folder} was not drawn by `portraits`, so nobody's skin tone is known: "
            "name a folder of portraits."
        )
    dark = dials["skin"] > DARK
    parameters = new_vae().count_params()
    settings = {"faces": identity_of(data), "parameters": parameters, "steps": steps}
    check_models(models, settings | {"count": count})
    trained = train_all(data, dark, steps, count, models)
    test = data.file_names("test")
    rare = round(PLANS["skewed"].share * count)
    seen = choose_faces(dark[data.file_names("train")], 1.0, rare)  # by every model, in training
    pictures = {
        "as_it_is": (test, load_images(data, test)),
        "seen": (seen, load_images(data, seen)),
    }
    for version in VERSIONS:
        pictures[version] = test[:REDRAWN], draw_version(data, test[:REDRAWN], version)
    out.mkdir(parents=True, exist_ok=True)
    facts = dials.assign(male=data.attributes["Male"])
    errors = measure_errors(trained, pictures, facts)
    write_table(errors, out / "errors.csv")
    write_faces(trained, pictures["dark"][1][:SHOWN], out / "faces.png")
    edits = measure_edits({name: trained[name] for name in EDITED}, data, dark, count)
    write_table(edits, out / "edits.csv")
    print(f"\n{edits.to_string(index=False)}\n")
    summary = compare(errors)
    print(summary.round(3).to_string())
    print(json.dumps({"steps": steps, "ratios": summary.round(4).to_dict("index")}))


def check_models(folder: Path, settings: dict) -> None:
    """Write settings.json; if it is there, the models were trained with the settings in it.

    Raises:
        ValueError: with others.
    """
    path = folder / "settings.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != settings:
        raise ValueError(
            f"The models in {folder} were trained on other faces, or with other settings: remove "
            "the folder, or name another with --models."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(settings))


def train_all(
    faces: Faces, dark: pd.Series, steps: int, count: int, folder: Path
) -> dict[str, VAE]:
    """Train the models of `PLANS`, or load those that are in the folder already."""
    member = dark[faces.file_names("train")]
    trained: dict[str, VAE] = {}
    for name, plan in PLANS.items():
        path = folder / f"{name}.keras"
        if not path.exists():
            names = choose_faces(member, plan.share, count)
            print(f"{name}: {steps} steps on {len(names)} faces", flush=True)
            vae = train_model(faces, names, member[names], plan, steps, trained.get("skewed"))
            without_optimizer(vae).save(path)
        trained[name] = load_archive(path)
    return trained


def train_model(
    faces: Faces,
    names: list[str],
    member: pd.Series,
    plan: Plan,
    steps: int,
    skewed: VAE | None = None,
    image_size: int = 64,
) -> VAE:
    """Train one model by the course's recipe, as notebook 8 does."""
    pixels = load_pixels(faces, image_size)[faces.rows(names)]
    weights = None
    if plan.drawn is not None:
        weights = label_weights(member.to_numpy(), plan.drawn)
    elif plan.by_density:
        weights = density_weights(encode(skewed, pixels))
        print(f"  {weights[member.to_numpy()].sum():.1%} of the draws are of the group")
    vae = new_vae(image_size, seed=plan.seed)
    compile_recipe(vae, steps)
    batches = draw_batches(pixels, weights, BATCH_SIZE, plan.seed)
    vae.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    vae.fit_sharpness(pixels[::2].astype("float32") / 255)
    return vae


def encode(vae: VAE, pixels: np.ndarray) -> np.ndarray:
    """Posterior means of uint8 pictures (n, h, w, 3), a thousand at a time."""
    parts = [pixels[start : start + 1000] for start in range(0, len(pixels), 1000)]
    return np.concatenate([vae.encode(part.astype("float32") / 255) for part in parts])


def draw_version(faces: Faces, names: list[str], version: str) -> np.ndarray:
    """Draw people again in one of the `VERSIONS`: float32 (n, h, w, 3) in [0, 1]."""
    switched, dials = VERSIONS[version]
    drawn = [redraw(faces, name, switched, dials=dials) for name in names]
    if any(picture is None for picture in drawn):
        raise ValueError(f"Some of the test people can't be drawn in the version {version!r}.")
    return np.stack(drawn)


def measure_errors(
    models: dict[str, VAE], pictures: dict[str, tuple[list[str], np.ndarray]], facts: pd.DataFrame
) -> pd.DataFrame:
    """Mean squared errors, in grey levels squared: one row per picture, one column per model.

    Args:
        models: by name.
        pictures: version -> file names, and pictures (n, h, w, 3) in [0, 1].
        facts: indexed by file name, columns skin, age, male: of the people as they are.

    Returns:
        The columns file, drawn (the version); skin, age, male as drawn; and a column per model.
    """
    parts = []
    for version, (names, images) in pictures.items():
        switched, dials = VERSIONS.get(version, ({}, {}))
        turned = {**dials, **{name.lower(): on for name, on in switched.items()}}
        part = facts.loc[names].assign(**turned).round(3).rename_axis("file").reset_index()
        part.insert(1, "drawn", version)
        for name, vae in models.items():
            part[name] = face_errors(vae, images).round(1)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def write_faces(models: dict[str, VAE], images: np.ndarray, path: Path) -> None:
    """Write faces (n, h, w, 3) as one PNG, and below them a row of each model's reconstructions."""
    rows = [images, *(vae.reconstruct(images) for vae in models.values())]
    picture = image_grid(np.concatenate(rows), columns=len(images), gap=0)
    with written_whole(path) as aside:
        Image.fromarray(picture).save(aside, format="PNG")


def measure_edits(
    models: dict[str, VAE], faces: Faces, dark: pd.Series, count: int
) -> pd.DataFrame:
    """Edits of test faces, with vectors from each model's own training set.

    Strengths are chosen on 200 validation faces. Returns the columns model, attribute, dark,
    faces, accepted, others_agree, reconstruction_agree of `vaelib.editing.measure`.
    """
    judge = Judge(faces)
    member, settled = dark[faces.file_names("train")], faces.file_names("val")[:200]
    pixels, labels = load_pixels(faces), faces.attributes[judge.attributes]
    rows = []
    for name, vae in models.items():
        names = choose_faces(member, PLANS[name].share, count)
        latents = encode(vae, pixels[faces.rows(names)])
        editor = choose_strengths(
            improved_editor(latents, labels.loc[names]),
            vae,
            judge,
            encode(vae, pixels[faces.rows(settled)]),
            labels.loc[settled],
            ATTRIBUTES,
        )
        for attribute in ATTRIBUTES:
            for belongs in (False, True):
                lacking = faces.find("test", **{attribute: False})
                some = [file for file in lacking if dark[file] == belongs][:REDRAWN]
                before = faces.attributes.loc[some]
                after = before.assign(**{attribute: True})
                case = Cases(attribute, load_images(faces, some), before, after)
                found = measure(editor, vae, judge, case)
                kept = ("faces", "accepted", "others_agree", "reconstruction_agree")
                row = {"model": name, "attribute": attribute, "dark": belongs}
                rows.append(row | {key: found[key] for key in kept})
    return pd.DataFrame(rows).round(4)


def compare(table: pd.DataFrame) -> pd.DataFrame:
    """Ratio of each model's error to that of the model of an even set, by group."""
    seen = table[table["drawn"] == "as_it_is"]
    member = (seen["skin"] > DARK).to_numpy()
    who = {"dark": member, "others": ~member}
    rows = {}
    for name in PLANS:
        reference = "even_again" if PLANS[name].seed else "even"
        ratios = group_errors(seen[name].to_numpy(), who, seen[reference].to_numpy())
        for group, row in ratios.iterrows():
            rows[f"{name}, {group}"] = row
    return pd.DataFrame(rows).T


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, whole."""
    with written_whole(path) as aside:
        table.to_csv(aside, index=False)


if __name__ == "__main__":
    main(app)
