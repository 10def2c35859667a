"""What folders hold, for several tests."""

from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the lock: name -> bytes."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
