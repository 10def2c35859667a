"""Where faces, models and runs are, from any working directory."""

import os
from pathlib import Path

import platformdirs

VARIABLE = "LATENT_FACES_DATA"
RUNS_VARIABLE = "LATENT_FACES_RUNS"
ROOT = Path(__file__).resolve().parents[1]


def repository() -> Path | None:
    """Find the course's repository; None if the packages are installed from a wheel."""
    is_one = (ROOT / "pyproject.toml").is_file() and (ROOT / "data" / "README.md").is_file()
    return ROOT if is_one else None


def data_folder() -> Path:
    """Find the folder of all faces: LATENT_FACES_DATA, or the repository's data/, or the user's.

    The user's is where the system keeps data of programs, ~/.local/share/latent-faces on Linux.
    """
    if named := _named(VARIABLE):
        return named
    root = repository()
    return root / "data" if root else _own()


def course_folder() -> Path:
    """Find the folder of what comes with the course: the repository's data/, else `data_folder`."""
    root = repository()
    return root / "data" if root else data_folder()


def runs_folder() -> Path:
    """Find the folder of training runs: LATENT_FACES_RUNS, or runs/ in the repository or the data.

    The data are those of `data_folder`. Where the user may not write there, since many share the
    course, it is runs/ in the user's own folder.
    """
    if named := _named(RUNS_VARIABLE):
        return named
    folder = (repository() or data_folder()) / "runs"
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return folder if os.access(there, os.W_OK) else _own() / "runs"


def _named(variable: str) -> Path | None:
    """The folder that an environment variable names; None if it names none."""
    named = os.environ.get(variable)
    if not named:
        return None
    folder = Path(named).expanduser().absolute()
    os.environ[variable] = str(folder)  # absolute for programs that run in another folder
    return folder


def _own() -> Path:
    return Path(platformdirs.user_data_path("latent-faces", appauthor=False))
