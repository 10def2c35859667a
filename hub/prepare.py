"""Make the course ready for all users of a hub: draw the portraits, decode them once, share them.

    sudo /opt/tljh/user/bin/python hub/prepare.py

Give it again after each update of the course: what is there already is kept. It makes what
`make lab` makes for one user, and what a notebook would make at its first run; then everybody may
read the course, and its owner alone may write to it.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECOND = 10**9  # nanoseconds
SIZES = (64, 32)  # pixels: what the notebooks and their exercises ask for
READ, WRITE = 0o444, 0o022  # for all; for others than the owner


def main() -> None:
    """Draw, decode, share."""
    os.chdir(ROOT)
    os.umask(0o022)
    if subprocess.call([sys.executable, "-m", "portraits"]):
        sys.exit(1)  # the reason is printed already
    from groundwork.places import data_folder

    whole_seconds(data_folder() / "portraits" / "img_align_celeba")
    decode()
    share(ROOT)
    share(data_folder())  # LATENT_FACES_DATA may name another place
    print(f"{ROOT} is ready: everybody can read it, and only its owner can change it.")


def whole_seconds(folder: Path) -> None:
    """Give files dates of whole seconds: Docker's images keep no parts of them.

    The decoded faces are known by the dates of the images. With other dates, nobody would find
    them, and each user would decode all faces into a memory of her own.
    """
    for place, _, files in os.walk(folder):
        for path in (os.path.join(place, name) for name in files):
            status = os.stat(path)
            if status.st_mtime_ns % SECOND:
                whole = status.st_mtime_ns // SECOND * SECOND
                os.utime(path, ns=(status.st_atime_ns, whole))


def decode() -> None:
    """Make the files in .cache/ beside the portraits that the notebooks would make or miss."""
    import vaelib
    from vaelib.data import load_pixels
    from vaelib.metrics import FaceFeatures

    faces = vaelib.read_faces("portraits")
    for size in SIZES:
        load_pixels(faces, size)
    FaceFeatures(faces, SIZES[0])  # notebook 4


def share(folder: Path) -> None:
    """Let everybody read a folder and what is in it, and nobody but the owner write to it."""
    for place, _, files in os.walk(folder):
        for path in (Path(place), *(Path(place, name) for name in files)):
            if path.is_symlink():
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            search = 0o111 if path.is_dir() or mode & 0o100 else 0
            wanted = (mode | READ | search) & ~WRITE
            if mode != wanted:
                path.chmod(wanted)


if __name__ == "__main__":
    main()
