"""Compare ways to add an attribute in latent space, on validation people drawn with it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import vaelib  # isort: skip  # before keras: it starts TensorFlow without its log lines
import numpy as np
import pandas as pd
from typer import Option, Typer

from benchmarks.edits import encode, encode_pairs
from vaelib.__main__ import main
from vaelib.counterfactuals import ATTRIBUTES, Cases, find_cases, find_manifest
from vaelib.editing import Editor, PairedEditor, classified, improved_editor, paired_editor
from vaelib.judge import Judge
from vaelib.latent import constant_attributes
from vaelib.model import VAE

HARD = ["Bald", "Mustache", "Wearing_Lipstick"]  # those to which straight lines do badly
STRENGTHS = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def edit_choices(
    faces: Annotated[str, Option(help='"portraits", or a folder that portraits drew.')] = (
        "portraits"
    ),
    model: Annotated[str, Option(help='"pretrained", "mine", or a .keras file.')] = "pretrained",
    persons: Annotated[int, Option(min=1, max=1_000_000, help="Validation people.")] = 200,
    attribute: Annotated[list[str], Option(help="One to add; may be given again.")] = HARD,
) -> None:
    """Add attributes in five ways and with eight strengths; the last line is JSON.

    Everything is learned from training people and measured on validation people, so that a way
    which is chosen here can be measured on test people by benchmarks.edits.
    """
    if wrong := [name for name in attribute if name not in ATTRIBUTES]:
        raise ValueError(f"--attribute {wrong[0]} is none of {', '.join(ATTRIBUTES)}.")
    data = vaelib.read_faces(faces)
    if find_manifest(data.folder) is None:
        raise ValueError(f"{data.folder} was not drawn by `portraits`, so there are no pairs.")
    if constant := set(constant_attributes(data.attributes.loc[data.file_names("train")])):
        attribute = [name for name in attribute if name not in constant]
    if not attribute:
        raise ValueError(f"All training faces of {data.folder} are alike in what is to be added.")
    vae = vaelib.load_model(model)
    judge = Judge(data, vae.image_size)
    pairs = encode_pairs(vae, data, attribute)
    names = data.file_names("train")
    vectors = improved_editor(encode(vae, data, names), data.attributes.loc[names])
    cases = find_cases(data, data.file_names("val")[:persons], list(pairs), vae.image_size)
    if not cases:
        raise ValueError("The validation faces have the attributes already: use more --persons.")
    table = compare(vae, judge, cases, ways(vectors, paired_editor(pairs)))
    print(f"\n{table.mul(100).round(1).to_string()}")
    rows = [
        {"way": way, "strength": strength, **{name: row[name].to_dict() for name in cases}}
        for (way, strength), row in table.round(4).iterrows()
    ]
    print(json.dumps({"persons": persons, "rows": rows}))


def ways(vectors: Editor, paired: PairedEditor) -> dict[str, Editor | PairedEditor]:
    """The ways to edit, by name."""
    means = {name: replace(move, matrix=0 * move.matrix) for name, move in paired.moves.items()}
    return {
        "vectors": vectors,
        "mean move": PairedEditor(means),
        "one step": replace(paired, steps=1),
        "four steps": paired,
    }


def compare(
    vae: VAE, judge: Judge, cases: dict[str, Cases], editors: dict[str, Editor | PairedEditor]
) -> pd.DataFrame:
    """Measure each way with each strength, and once more with what reconstructions leave out.

    Returns:
        Indexed by way and strength; columns (attribute, "accepted" or "others_agree"), shares in
        [0, 1]. The first rows are the reconstructions and the true pictures.
    """
    rows = {}
    for name, case in cases.items():
        z = vae.encode(case.images)
        reconstructed = vae.decode(z)
        pictures = {
            ("reconstruction", 0.0): reconstructed,
            ("truth", 0.0): case.counterfactuals,
            **dict(_edited(vae, editors, z, case, case.images - reconstructed)),
        }
        others = [other for other in judge.attributes if other != name]
        for key, images in pictures.items():
            found = classified(judge, images)
            wanted = case.before if key[0] == "reconstruction" else case.after
            agree = (found[others].to_numpy() == wanted[others].to_numpy()).mean()
            rows.setdefault(key, {})[name, "accepted"] = float(found[name].mean())
            rows[key][name, "others_agree"] = float(agree)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["way", "strength"])


def _edited(
    vae: VAE,
    editors: dict[str, Editor | PairedEditor],
    z: np.ndarray,
    case: Cases,
    left_out: np.ndarray,
) -> Iterator[tuple[tuple[str, float], np.ndarray]]:
    corrected = {}
    for way, editor in editors.items():
        for strength in STRENGTHS:
            stronger = replace(editor, strengths={case.attribute: strength})
            decoded = vae.decode(stronger.add(z, case.before, case.attribute))
            yield (way, strength), decoded
            if way == "four steps":
                corrected[f"{way}, corrected", strength] = np.clip(decoded + left_out, 0, 1)
    yield from corrected.items()


if __name__ == "__main__":
    main(app)
