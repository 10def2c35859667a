"""The attribute vectors that come with a pretrained model."""

from pathlib import Path

import numpy as np
import pandas as pd

from vaelib.runs import PRETRAINED

WITH_VECTORS = ("pretrained-128",)
"""The pretrained models with which vectors come."""


def load_vectors(name: str, regressed: bool = False) -> pd.DataFrame:
    """Load the attribute vectors that come with a pretrained model, from its training faces.

    Args:
        name: "pretrained-128"; for other models, encode training faces and call
            `vaelib.latent.attribute_vectors` or `regressed_vectors`.
        regressed: of `regressed_vectors`; else of `attribute_vectors`.

    Returns:
        DataFrame (n_attributes, latent_dim), in latent units, rounded to four digits.

    Raises:
        FileNotFoundError: they are not there.
        ValueError: no vectors come with such a model, or their file is damaged.
    """
    if name not in WITH_VECTORS:
        raise ValueError(
            f"No vectors come with the model {name!r}, only with {', '.join(WITH_VECTORS)}: encode "
            "training faces, and call attribute_vectors or regressed_vectors."
        )
    path = vectors_path(PRETRAINED[name])
    if not path.exists():
        raise FileNotFoundError(
            f"There is no {path}: the vectors come with the course's repository, not with an "
            f"installed package; copy data/pretrained/{path.name} of the repository to there."
        )
    try:
        table = pd.read_csv(path, index_col=["regressed", "attribute"], encoding="utf-8")
        kinds = [table.loc[kind].astype("float32") for kind in (False, True)]
        whole = kinds[0].index.equals(kinds[1].index) and np.isfinite(table.to_numpy()).all()
    except Exception:  # pandas has many for a damaged table
        whole = False
    if not whole:
        raise ValueError(f"{path} is damaged: take it from the repository again.")
    vectors = kinds[regressed]
    return vectors.set_axis(range(vectors.shape[1]), axis=1).rename_axis(None)


def vectors_path(model: Path) -> Path:
    """Where the vectors of a pretrained model lie: vectors-128.csv for vae-128.keras."""
    return model.with_name(model.stem.replace("vae", "vectors") + ".csv")
