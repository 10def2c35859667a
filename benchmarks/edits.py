"""Measure edits in latent space against the same people drawn with the attribute."""

import json
from pathlib import Path
from typing import Annotated

import vaelib  # isort: skip  # before keras: it starts TensorFlow without its log lines
import matplotlib
import numpy as np
import pandas as pd
from typer import Option, Typer

from vaelib.__main__ import main
from vaelib.classifier import FaceFeatures
from vaelib.counterfactuals import ATTRIBUTES, Cases, find_cases
from vaelib.data.faces import Faces
from vaelib.data.pixels import load_pixels
from vaelib.editing import Editor, choose_strengths, improved_editor, measure, naive_editor
from vaelib.model import VAE

FIGURE = Path("build/benchmarks/edits.png")
TITLES = ["person", "reconstruction", "naive edit", "improved edit", "true counterfactual"]
SHARES = ("accepted", "others_agree", "reconstruction_agree")

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def edits(
    faces: Annotated[str, Option(help='"portraits", "celeba", or a folder.')] = "portraits",
    model: Annotated[str, Option(help='"pretrained", "mine", or a .keras file.')] = "pretrained",
    persons: Annotated[
        int,
        Option(
            min=1,
            max=1_000_000,
            help="Test faces, and as many validation faces to choose strengths on.",
        ),
    ] = 200,
    figure: Annotated[Path, Option(help="The picture to write, a PNG.")] = FIGURE,
) -> None:
    """Add ten attributes to test faces, in two ways; the last line is JSON.

    Vectors are found on the training split and their strengths on the validation split.
    """
    data = vaelib.read_faces(faces)
    vae = vaelib.load_model(model)
    features = FaceFeatures(data, vae.image_size)
    attributes = [name for name in ATTRIBUTES if name in features.attributes]
    if not attributes:
        raise ValueError(
            f"{data.folder} has none of the attributes that are added: {', '.join(ATTRIBUTES)}."
        )
    editors = fit_editors(vae, data, features, attributes, persons)
    cases = find_cases(data, data.file_names("test")[:persons], attributes, vae.image_size)
    if not cases:
        raise ValueError("The test faces have every attribute already: use more --persons.")
    tables = {
        name: pd.DataFrame(
            [measure(editor, vae, features, case) for case in cases.values()], list(cases)
        )
        for name, editor in editors.items()
    }
    draw(vae, editors, cases, figure)
    for name, table in tables.items():
        print(f"\n{name}\n{as_text(table)}")
    print(f"\nThe picture is {figure}.")
    print(json.dumps(summary(tables["improved"], tables["naive"])))


def fit_editors(
    vae: VAE, faces: Faces, features: FaceFeatures, attributes: list[str], persons: int
) -> dict[str, Editor]:
    """Fit both editors, and choose their strengths on `persons` validation faces."""
    latents, labels = {}, {}
    for split, count in (("train", None), ("val", persons)):
        names = faces.file_names(split)[:count]
        latents[split] = encode(vae, faces, names)
        labels[split] = faces.attributes.loc[names, features.attributes]
    fitted = {"naive": naive_editor, "improved": improved_editor}
    return {
        name: choose_strengths(
            fit(latents["train"], labels["train"]),
            vae,
            features,
            latents["val"],
            labels["val"],
            attributes,
        )
        for name, fit in fitted.items()
    }


def encode(vae: VAE, faces: Faces, names: list[str]) -> np.ndarray:
    """Encode faces by name: posterior means (n, latent_dim), a thousand images at a time."""
    pixels = load_pixels(faces, vae.image_size)
    rows = faces.attributes.index.get_indexer(names)
    parts = [pixels[rows[start : start + 1000]] for start in range(0, len(rows), 1000)]
    return np.concatenate([vae.encode(part.astype("float32") / 255) for part in parts])


def draw(vae: VAE, editors: dict[str, Editor], cases: dict[str, Cases], path: Path) -> None:
    """Draw one person per attribute, with the pictures of `TITLES`; the last only if known."""
    matplotlib.use("Agg")
    from vaelib.plots import show_rows

    rows = {}
    for number, (attribute, case) in enumerate(cases.items()):
        one = number % len(case.images)  # not the same person in every row
        z, has = vae.encode(case.images[[one]]), case.before.iloc[[one]]
        moved = [editor.add(z, has, attribute) for editor in editors.values()]
        truth = [] if case.counterfactuals is None else [case.counterfactuals[one]]
        decoded = vae.decode(np.concatenate([z, *moved]))
        rows[attribute] = np.stack([case.images[one], *decoded, *truth])
    path.parent.mkdir(parents=True, exist_ok=True)
    show_rows(rows, TITLES, path=path)


def as_text(table: pd.DataFrame) -> str:
    """Format the table: one line per attribute, shares in percent, and their means."""
    table = table.astype("float64")
    shares = [name for name in table if name.endswith(("accepted", "agree", "reconstructed"))]
    table.loc["mean"] = table[shares].mean()
    table[shares] *= 100
    formats = dict.fromkeys(table, "{:.1f}".format)
    formats |= {"faces": "{:.0f}".format, "refused": "{:.0f}".format, "strength": "{:.2f}".format}
    names = {name: name.replace("reconstruction", "recon").replace("_", " ") for name in table}
    table = table.rename(columns=names)
    formatters = {names[name]: form for name, form in formats.items()}
    return table.to_string(formatters=formatters, na_rep="-")


def summary(improved: pd.DataFrame, naive: pd.DataFrame) -> dict:
    """Build the last line, for JSON: unknown values are None.

    Returns:
        accepted, others_agree, reconstruction_agree: means over the attributes, in [0, 1];
        attributes: for each the result of `measure`;
        naive: the same three means and attributes of the naive edits.
    """
    kept = [
        {
            **{share: _rounded(table[share].astype("float64").mean()) for share in SHARES},
            "attributes": {
                name: {key: _rounded(value) for key, value in row.items()}
                for name, row in table.to_dict("index").items()
            },
        }
        for table in (improved, naive)
    ]
    return {**kept[0], "naive": kept[1]}


def _rounded(value: float | None) -> float | None:
    return None if pd.isna(value) else round(value, 4)


if __name__ == "__main__":
    main(app)
