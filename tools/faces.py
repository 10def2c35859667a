"""Which faces the notebooks will use: the environment variable FACES, made good for any folder."""

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KNOWN = {
    "portraits": "run `python -m portraits`",
    "celeba": "run `python -m vaelib celeba`, which says how to get CelebA",
}


def settle_faces(environment: MutableMapping[str, str] = os.environ, root: Path = ROOT) -> str:
    """Check FACES, and write it as a path from `/`, since notebooks run in their own folder.

    Args:
        environment: with FACES or without it; changed in place.
        root: the project's folder.

    Returns:
        What FACES is called in a file name: "portraits", "celeba", or the folder's last part.

    Raises:
        SystemExit: there are no such faces (one sentence).
    """
    name = environment.get("FACES") or "portraits"
    folder = root / "data" / name if name in KNOWN else Path(name).resolve()
    if name != "portraits" and not folder.is_dir():
        advice = KNOWN.get(name, "name a folder in CelebA's layout, or celeba, or portraits")
        sys.exit(f"FACES is {name}, and the folder {folder} does not exist: {advice}.")
    environment["FACES"] = name if name in KNOWN else str(folder)
    return folder.name
