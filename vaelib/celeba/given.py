"""What a source of CelebA gives, in whatever form it is handed out."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from vaelib.celeba.files import File


@dataclass(frozen=True)
class Given:
    """The faces of a source; no image is read yet.

    Attributes:
        source: the archive, file or folder with the images.
        images: name of an image without its ending -> the file.
        labels: boolean DataFrame (n_faces, 40), indexed by file name.
        where: what holds the labels, for messages.
        splits: Series of "train", "val" or "test", indexed as `labels`; a face may lack. None if
            the source does not tell.
        people: Series of int, a number for each person, indexed as `labels`; None if the source
            does not tell.
        remarks: sentences about what is unusual and harmless.
    """

    source: Path
    images: dict[str, File]
    labels: pd.DataFrame
    where: str
    splits: pd.Series | None = None
    people: pd.Series | None = None
    remarks: list[str] = field(default_factory=list)
