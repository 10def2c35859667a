"""Change a folder of faces, and look into its cache."""

from pathlib import Path


def write(path: Path, lines: list[str], newline: str = "\n") -> Path:
    path.write_bytes("".join(line + newline for line in lines).encode())
    return path


def edit_lines(path: Path, change) -> None:
    lines = path.read_text().splitlines()
    change(lines)
    write(path, lines)


def kept(folder: Path) -> list[Path]:
    """What is in the cache, but for its lock."""
    return list((folder / ".cache").glob("[!.]*"))
