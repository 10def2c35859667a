"""Give a program users of its own on Linux: accounts and homes that only it sees.

    unshare --mount python tools/hub_users.py HOMES anna,ben COMMAND ...

Started as root in a namespace of mounts. The accounts are lines in a copy of /etc/passwd that is
mounted over the real one; the homes are in memory. When the last process of the namespace ends,
all of it is gone.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRST = 61_001  # the number of the first user: above those that systems give
AREA = Path("/mnt")  # mounted over here, where every Linux has a folder


def main(homes: Path, names: list[str], command: list[str]) -> None:
    """Make the users, and become the command."""
    os.umask(0o022)
    mount("-t", "tmpfs", "-o", "mode=755", "users", str(AREA))
    make_accounts(homes, names)
    open_ways([Path(sys.base_prefix), Path(sys.prefix), ROOT])
    mount("-t", "tmpfs", "-o", "mode=755", "homes", str(homes))
    for number, name in enumerate(names, FIRST):
        home = homes / name
        home.mkdir(mode=0o700)
        os.chown(home, number, number)
    os.execvp(command[0], command)


def make_accounts(homes: Path, names: list[str]) -> None:
    """Mount lists of users and groups over those of the system, with ours at the end."""
    lines = {"passwd": "{0}:x:{1}:{1}::{2}/{0}:/bin/sh\n", "group": "{0}:x:{1}:\n"}
    for file, line in lines.items():
        ours = "".join(line.format(*user, homes) for user in zip(names, range(FIRST, 65_000)))
        copy = AREA / file
        copy.write_text(Path("/etc", file).read_text("utf-8").rstrip("\n") + f"\n{ours}", "utf-8")
        mount("--bind", str(copy), f"/etc/{file}")


def open_ways(folders: list[Path]) -> None:
    """Let all users reach folders that lie in one of root's, such as a Python in /root.

    The closed folder is covered by an empty one that is open, with the wanted ones mounted into it.
    """
    ways = {path: closed for path in map(Path.resolve, folders) if (closed := closed_above(path))}
    asides = {path: AREA / f"aside-{number}" for number, path in enumerate(sorted(ways))}
    for path, aside in asides.items():
        aside.mkdir()
        mount("--bind", str(path), str(aside))
    for closed in set(ways.values()):
        mount("-t", "tmpfs", "-o", "mode=755", "open", str(closed))
    for path, aside in asides.items():  # the outer ones first
        path.mkdir(parents=True, exist_ok=True)
        mount("--move", str(aside), str(path))


def closed_above(path: Path) -> Path | None:
    """The outermost folder above a path that not everybody may pass; None if there is none."""
    closed = [folder for folder in path.parents if not folder.stat().st_mode & 0o001]
    return closed[-1] if closed else None


def mount(*arguments: str) -> None:
    """Mount something; a failure ends the program, since `mount` has said why."""
    if subprocess.call(["mount", *arguments]) != 0:
        sys.exit(f"The users of the hub can't be made: mount {' '.join(arguments)} failed.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:])
