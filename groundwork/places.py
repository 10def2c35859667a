"""Where faces, models and runs are, from any working directory."""

import os
from pathlib import Path

import platformdirs

VARIABLE = "LATENT_FACES_DATA"
ROOT = Path(__file__).resolve().parents[1]


def repository() -> Path | None:
    """Find the course's repository; None if the packages are installed from a wheel."""
    is_one = (ROOT / "pyproject.toml").is_file() and (ROOT / "data" / "README.md").is_file()
    return ROOT if is_one else None


def data_folder() -> Path:
    """Find the folder of all faces: LATENT_FACES_DATA, or the repository's data/, or the user's.

    The user's is where the system keeps data of programs, ~/.local/share/latent-faces on Linux.
    """
    named = os.environ.get(VARIABLE)
    if named:
        folder = Path(named).expanduser().absolute()
        os.environ[VARIABLE] = str(folder)  # absolute for programs that run in another folder
        return folder
    root = repository()
    return root / "data" if root else _own()


def course_folder() -> Path:
    """Find the folder of what comes with the course: the repository's data/, else `data_folder`."""
    root = repository()
    return root / "data" if root else data_folder()


def runs_folder() -> Path:
    """Find the folder of training runs: the repository's runs/, or runs/ in the user's data."""
    root = repository()
    return root / "runs" if root else data_folder() / "runs"


def _own() -> Path:
    return Path(platformdirs.user_data_path("latent-faces", appauthor=False))
