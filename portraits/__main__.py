"""The command line: `python -m portraits` draws the data set, or paired sets."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from groundwork import commands
from groundwork.places import data_folder
from portraits.dataset.counterfactuals import SEED, write_counterfactuals
from portraits.dataset.folder import MOST
from portraits.dataset.write import write_dataset
from portraits.errors import PortraitsError

MOST_JOBS = 256  # each process takes 100 MB

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def draw(
    attributes: Annotated[
        list[str] | None, typer.Argument(help="With --counterfactuals: attributes to switch.")
    ] = None,
    counterfactuals: Annotated[
        bool, typer.Option("--counterfactuals", help="Draw people without and with attributes.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder to write to.",
            show_default=f"portraits or counterfactuals in {data_folder()}",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=MOST, help="How many people.", show_default="20000 or 500"),
    ] = None,
    size: Annotated[str, typer.Option(help="Width and height in pixels: 64, or 178x218.")] = "64",
    seed: Annotated[
        int | None,
        typer.Option(
            **commands.SEEDS, help="Another seed is another population.", show_default="0 or 1"
        ),
    ] = None,
    jobs: Annotated[str, typer.Option(help="Number of processes; auto: one per core.")] = "auto",
) -> None:
    """Draw labelled portraits in CelebA's layout; after an interruption, run it again to continue.

    python -m portraits --counterfactuals Eyeglasses Smiling --count 500 draws each person twice
    for each attribute: without and with it.
    """
    try:
        pixels, processes = _size(size), _number_of_jobs(jobs)
        if counterfactuals:
            out = out or _default("counterfactuals")
            count, seed = _given(count, 500), _given(seed, SEED)
            write_counterfactuals(out, attributes or [], count, pixels, seed, processes)
        elif attributes:
            raise PortraitsError(f"To switch {attributes[0]}, add --counterfactuals.")
        else:
            out = out or _default("portraits")
            write_dataset(out, _given(count, 20_000), pixels, _given(seed, 0), processes)
    except KeyboardInterrupt:
        print(
            "\nportraits: interrupted; run the same command again to go on from here.",
            file=sys.stderr,
        )
        raise typer.Exit(130) from None


def _default(name: str) -> Path:
    """The folder of that name where the course looks for faces, relative if it is below here."""
    folder, here = data_folder() / name, Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _given(number: int | None, default: int) -> int:
    return default if number is None else number


def _size(size: str) -> tuple[int, int]:
    """Read the option --size."""
    match = re.fullmatch(r"(-?[0-9]{1,9})(?:x(-?[0-9]{1,9}))?", size)
    if not match:
        raise PortraitsError(f"--size must be a number, or two such as 178x218, not {size[:40]!r}.")
    return int(match[1]), int(match[2] or match[1])


def _number_of_jobs(jobs: str) -> int | None:
    """Read the option --jobs; None for auto."""
    if jobs == "auto":
        return None
    if not re.fullmatch(r"[0-9]{1,9}", jobs) or not 1 <= int(jobs) <= MOST_JOBS:
        raise PortraitsError(f"--jobs must be 1 to {MOST_JOBS}, or auto, not {jobs[:40]!r}.")
    return int(jobs)


if __name__ == "__main__":
    commands.run(app, "portraits", prog_name="python -m portraits")
