"""Which faces the notebooks will use: the environment variable FACES, made good for any folder."""

import hashlib
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

KNOWN = {
    "portraits": "run `python -m portraits`",
    "celeba": "run `python -m vaelib celeba`, which says how to get CelebA",
}


def settle_faces(
    environment: MutableMapping[str, str] = os.environ, data: Path | None = None
) -> tuple[str, Path]:
    """Check FACES, and write it as a path from `/`, since notebooks run in their own folder.

    Args:
        environment: with FACES or without it; changed in place.
        data: the folder of all faces; by default, that of the course.

    Returns:
        What FACES is called in a file name: "portraits", "celeba", or the folder's last part with
        eight digits that belong to its whole path. And the folder of the faces.

    Raises:
        SystemExit: there are no such faces (one sentence).
    """
    # Only now: a Python without the course is to get a sentence before.
    from groundwork.places import data_folder

    name = environment.get("FACES") or "portraits"
    folder = (data or data_folder()) / name if name in KNOWN else Path(name).resolve()
    if name != "portraits" and not folder.is_dir():
        advice = KNOWN.get(name, "name a folder in CelebA's layout, or celeba, or portraits")
        sys.exit(f"FACES is {name}, and the folder {folder} does not exist: {advice}.")
    if name in KNOWN:
        environment["FACES"] = name
        return name, folder
    environment["FACES"] = str(folder)
    return f"{folder.name}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]}", folder
