"""Where faces, models and runs are: the same answer for both packages, from any folder."""

import os
from pathlib import Path

import platformdirs

VARIABLE = "LATENT_FACES_DATA"
ROOT = Path(__file__).resolve().parents[1]


def repository() -> Path | None:
    """The course's repository, if the packages are used from it; None for an installed wheel."""
    is_one = (ROOT / "pyproject.toml").is_file() and (ROOT / "data" / "README.md").is_file()
    return ROOT if is_one else None


def data_folder() -> Path:
    """The folder of all faces: LATENT_FACES_DATA, or the repository's data/, or the user's own.

    The last is where the system keeps a program's data, ~/.local/share/latent-faces on Linux.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    root = repository()
    return root / "data" if root else _own()


def runs_folder() -> Path:
    """The folder of training runs: the repository's runs/, or one beside the user's own data."""
    root = repository()
    return root / "runs" if root else data_folder() / "runs"


def _own() -> Path:
    return Path(platformdirs.user_data_path("latent-faces", appauthor=False))
