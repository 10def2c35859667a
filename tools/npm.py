"""Fetch npm packages in the versions of a lock file, into a folder of build/."""

import shutil
import subprocess
from pathlib import Path

from groundwork.files import write_whole

FILES = ("package.json", "package-lock.json")
RECORD = "fetched-package-lock.json"  # the lock file of what is in node_modules


def fetch(locked: Path, into: Path) -> Path:
    """Install what a lock file names; nothing is done, and no network used, if it is there.

    Args:
        locked: the folder with package.json and package-lock.json.
        into: the folder in which node_modules is made.

    Returns:
        The folder node_modules.

    Raises:
        OSError: npm is missing, or could not fetch the packages (one sentence).
    """
    packages, record = into / "node_modules", into / RECORD
    wanted = (locked / FILES[1]).read_text("utf-8")
    if packages.is_dir() and record.exists() and record.read_text("utf-8") == wanted:
        return packages
    npm = find_npm()
    if npm is None:
        raise OSError(
            f"npm is needed to fetch the packages of {locked / FILES[0]}: install Node.js 20 or "
            "newer, which brings it, and give the same command again."
        )
    into.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(locked / name, into / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.call(command, cwd=into) != 0:
        raise OSError(
            f"npm could not fetch the packages of {locked / FILES[0]} (it says why above): give "
            "the same command again when there is a network."
        )
    write_whole(record, wanted)
    return packages


def find_npm() -> str | None:
    """The path of npm; None if it is not installed."""
    return shutil.which("npm")
