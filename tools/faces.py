"""Read the environment variable FACES: which faces the notebooks use."""

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
    """Check FACES, and make it an absolute path, since notebooks run in their own folder.

    Args:
        environment: may have FACES; it is changed in place.
        data: the folder of all faces; by default, that of the course.

    Returns:
        A name of the faces for file names: "portraits", "celeba", or the folder's last part with
        eight digits of a hash of its path. And the folder of the faces.

    Raises:
        SystemExit: there are no such faces (one sentence).
    """
    # Imported here, since a Python without the course must get its sentence first.
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
