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
from vaelib.counterfactuals import ATTRIBUTES, Cases, find_cases, find_manifest
from vaelib.data.faces import Faces
from vaelib.data.pixels import load_pixels
from vaelib.editing import (
    ENOUGH,
    Editor,
    PairedEditor,
    choose_strengths,
    classified,
    improved_editor,
    measure,
    naive_editor,
    paired_editor,
)
from vaelib.judge import AT_ONCE, PERSONS, Judge
from vaelib.model import VAE

FIGURE = Path("build/benchmarks/edits.png")
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
    """Add ten attributes to test faces, in three ways; the last line is JSON.

    Vectors and moves are found on the training split, and their strengths on the validation split.
    Paired edits need training people drawn twice, so with photographs there are none. With them,
    the validation split also tells which way is taken for which attribute: the rows "chosen".
    """
    data = vaelib.read_faces(faces)
    vae = vaelib.load_model(model)
    judge = Judge(data, vae.image_size)
    attributes = [name for name in ATTRIBUTES if name in judge.attributes]
    if not attributes:
        raise ValueError(
            f"{data.folder} has none of the attributes that are added: {', '.join(ATTRIBUTES)}."
        )
    editors, ways = fit_editors(vae, data, judge, attributes, persons)
    print(f"Editing {persons} people.", flush=True)
    added = list(next(iter(editors.values())).strengths)
    cases = find_cases(data, data.file_names("test")[:persons], added, vae.image_size)
    if not cases:
        raise ValueError("The test faces have every attribute already: use more --persons.")
    tables = {
        name: pd.DataFrame(
            [measure(editor, vae, judge, case) for case in cases.values()], list(cases)
        )
        for name, editor in editors.items()
    }
    if ways:
        tables["chosen"] = pd.concat([tables[ways[name]].loc[[name]] for name in cases])
    draw(vae, editors, cases, figure)
    for name, table in tables.items():
        print(f"\n{name}\n{as_text(table)}")
    if others := {name: way for name, way in ways.items() if way != "paired"}:
        print(f"\nChosen on validation faces: paired, but for {others}.")
    print(f"\nThe picture is {figure}.")
    print(json.dumps(summary(tables)))


def fit_editors(
    vae: VAE, faces: Faces, judge: Judge, attributes: list[str], persons: int
) -> tuple[dict[str, Editor | PairedEditor], dict[str, str]]:
    """Fit the editors, and choose their strengths and ways on `persons` validation faces.

    Returns:
        The editors, and the name of one of them for each attribute; no names without pairs.
    """
    latents, labels = {}, {}
    for split, count in (("train", None), ("val", persons)):
        names = faces.file_names(split)[:count]
        latents[split] = encode(vae, faces, names)
        labels[split] = faces.attributes.loc[names, judge.attributes]
    editors: dict[str, Editor | PairedEditor] = {
        "naive": naive_editor(latents["train"], labels["train"]),
        "improved": improved_editor(latents["train"], labels["train"]),
    }
    pairs = encode_pairs(vae, faces, attributes)
    if pairs:
        editors["paired"] = paired_editor(pairs)
    editors = {
        name: choose_strengths(
            editor, vae, judge, latents["val"], labels["val"], list(pairs) or attributes
        )
        for name, editor in editors.items()
    }
    held_out = vae, judge, latents["val"], labels["val"]
    return editors, choose_ways(editors, *held_out, list(pairs)) if pairs else {}


def choose_ways(
    editors: dict[str, Editor | PairedEditor],
    vae: VAE,
    judge: Judge,
    latents: np.ndarray,
    has: pd.DataFrame,
    attributes: list[str],
) -> dict[str, str]:
    """The way of each attribute: paired, unless it falls short and improved is accepted more often.

    Args:
        latents: (n, latent_dim), posterior means of validation faces.
        has: boolean DataFrame (n, n_attributes), the same faces.
        attributes: those to add.
    """
    ways = {}
    for name in attributes:
        lack = ~has[name].to_numpy()
        accepted = {}
        for way in ("paired", "improved"):
            z = editors[way].add(latents[lack], has[lack], name)
            accepted[way] = classified(judge, vae.decode(z))[name].mean()
        enough = accepted["paired"] >= min(ENOUGH, accepted["improved"])
        ways[name] = "paired" if enough else "improved"
    return ways


def encode_pairs(
    vae: VAE, faces: Faces, attributes: list[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Training people without each attribute, and drawn with it: pairs for `paired_editor`.

    Returns:
        attribute -> posterior means of both, (n, latent_dim); empty if `portraits` did not draw
        the folder.
    """
    if find_manifest(faces.folder) is None:
        return {}
    names = faces.file_names("train")[:PERSONS]
    print(f"Drawing {len(names)} training people again, for paired edits.", flush=True)
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        for name, case in find_cases(faces, some, attributes, vae.image_size).items():
            pair = vae.encode(case.images), vae.encode(case.counterfactuals)
            parts.setdefault(name, []).append(pair)
    return {
        name: (np.concatenate([a for a, _ in some]), np.concatenate([b for _, b in some]))
        for name, some in parts.items()
    }


def encode(vae: VAE, faces: Faces, names: list[str]) -> np.ndarray:
    """Encode faces by name: posterior means (n, latent_dim), a thousand images at a time."""
    pixels = load_pixels(faces, vae.image_size)
    rows = faces.attributes.index.get_indexer(names)
    parts = [pixels[rows[start : start + 1000]] for start in range(0, len(rows), 1000)]
    return np.concatenate([vae.encode(part.astype("float32") / 255) for part in parts])


def draw(
    vae: VAE, editors: dict[str, Editor | PairedEditor], cases: dict[str, Cases], path: Path
) -> None:
    """Draw one person per attribute: reconstructed, edited, and, if known, the truth."""
    matplotlib.use("Agg")
    from vaelib.plots import show_rows

    known = any(case.counterfactuals is not None for case in cases.values())
    titles = ["person", "reconstruction", *(f"{name} edit" for name in editors)]
    titles += ["true counterfactual"] if known else []
    rows = {}
    for number, (attribute, case) in enumerate(cases.items()):
        one = number % len(case.images)  # not the same person in every row
        z, has = vae.encode(case.images[[one]]), case.before.iloc[[one]]
        moved = [editor.add(z, has, attribute) for editor in editors.values()]
        truth = [] if case.counterfactuals is None else [case.counterfactuals[one]]
        decoded = vae.decode(np.concatenate([z, *moved]))
        rows[attribute] = np.stack([case.images[one], *decoded, *truth])
    path.parent.mkdir(parents=True, exist_ok=True)
    show_rows(rows, titles, path=path)


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


def summary(tables: dict[str, pd.DataFrame]) -> dict:
    """Build the last line, for JSON: unknown values are None.

    Returns:
        accepted, others_agree, reconstruction_agree: means over the attributes, in [0, 1];
        attributes: for each the result of `measure`.
        These are of the last of the tables, whose name is `edits`; the same of each of the others
        follows under its name.
    """
    kept = {
        name: {
            **{share: _rounded(table[share].astype("float64").mean()) for share in SHARES},
            "attributes": {
                attribute: {key: _rounded(value) for key, value in row.items()}
                for attribute, row in table.to_dict("index").items()
            },
        }
        for name, table in tables.items()
    }
    last = list(kept)[-1]
    return {"edits": last, **kept.pop(last), **kept}


def _rounded(value: float | None) -> float | None:
    return None if pd.isna(value) else round(value, 4)


if __name__ == "__main__":
    main(app)
