"""Install Debian packages that tests need, where that is allowed: a browser, Slurm."""

import os
import subprocess
from pathlib import Path


def is_root() -> bool:
    """Whether this process is the superuser's."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def install(*packages: str) -> None:
    """Install packages if this is Debian and the superuser's process; else do nothing.

    A failure is not an error: whoever needs the programs looks whether they are there.
    """
    release = Path("/etc/os-release")
    if not is_root() or not release.exists():
        return
    if "ID=debian" not in release.read_text("utf-8").splitlines():
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    names = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for step in (["apt-get", "update", "-qq"], names):
        subprocess.run(step, env=quiet, stdout=subprocess.DEVNULL, check=False)
