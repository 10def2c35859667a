"""Compare two judges of edits: one learned from the folder alone, one from people drawn twice."""

import json
from collections.abc import Callable
from typing import Annotated

import vaelib  # isort: skip  # before keras: it starts TensorFlow without its log lines
import numpy as np
import pandas as pd
from typer import Option, Typer

from vaelib.__main__ import main
from vaelib.classifier import cached_classifier, classify, train_classifier, usual_steps
from vaelib.counterfactuals import ATTRIBUTES, Cases, find_cases, find_manifest
from vaelib.data.pixels import load_images
from vaelib.judge import Judge

JUDGES = ("without pairs", "with pairs")

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def judges(
    faces: Annotated[str, Option(help='"portraits", or a folder that portraits drew.')] = (
        "portraits"
    ),
    persons: Annotated[int, Option(min=1, max=1_000_000, help="Test people.")] = 200,
    image_size: Annotated[int, Option(min=16, max=512, help="In pixels.")] = 64,
) -> None:
    """Ask both judges about true pictures of test people with ten attributes; last line: JSON."""
    data = vaelib.read_faces(faces)
    if find_manifest(data.folder) is None:
        raise ValueError(f"{data.folder} was not drawn by `portraits`, so nobody is drawn twice.")
    judge = Judge(data, image_size)

    def train():
        return train_classifier(data, judge.attributes, usual_steps(data), image_size)

    outputs = len(judge.attributes)
    plain = cached_classifier(data, image_size, "judge-without-pairs", outputs, train)
    added = [name for name in ATTRIBUTES if name in judge.attributes]
    cases = find_cases(data, data.file_names("test")[:persons], added, image_size)
    names = data.file_names("test")
    images = load_images(data, names, image_size)
    labels = data.attributes.loc[names, judge.attributes].to_numpy()
    shares = {}
    for name, classifier in zip(JUDGES, (plain, judge.classifier)):
        shares[name] = accepted(lambda x, c=classifier: classify(c, x), judge.attributes, cases)
        shares[name]["all labels"] = float(((classify(classifier, images) > 0) == labels).mean())
    table = pd.DataFrame(shares)
    print(f"\nAccepted of the true pictures, in percent\n{table.mul(100).round(1).to_string()}")
    print(json.dumps({"persons": persons, **table.round(4).to_dict()}))


def accepted(
    logits: Callable[[np.ndarray], np.ndarray], attributes: list[str], cases: dict[str, Cases]
) -> dict[str, float]:
    """The share of the true pictures with an attribute in which a judge finds it.

    Args:
        logits: images (n, h, w, 3) -> log-odds (n, k) of the attributes.
        attributes: names of the k attributes.
        cases: what `find_cases` returns.

    Returns:
        attribute -> share in [0, 1], and "ATTRIBUTE of men" for the faces that were men before.
    """
    shares = {}
    for name, case in cases.items():
        found = logits(case.counterfactuals)[:, attributes.index(name)] > 0
        shares[name] = float(found.mean())
        if "Male" in case.before and 0 < case.before["Male"].mean() < 1:
            shares[f"{name} of men"] = float(found[case.before["Male"].to_numpy()].mean())
    return shares


if __name__ == "__main__":
    main(app)
