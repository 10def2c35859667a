"""The command line: `python -m portraits` draws the data set."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from portraits.dataset import PortraitsError, write_dataset

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def draw(
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("data/portraits"),
    count: Annotated[int, typer.Option(help="How many portraits.")] = 20_000,
    size: Annotated[int, typer.Option(help="Width and height in pixels.")] = 64,
    seed: Annotated[int, typer.Option(help="Another seed is another population.")] = 0,
    jobs: Annotated[str, typer.Option(help="Processes at work; auto: one a core.")] = "auto",
) -> None:
    """Draw labelled portraits in CelebA's layout; run it again to go on after an interruption."""
    try:
        write_dataset(out, count, size, seed, _number_of_jobs(jobs))
    except PortraitsError as error:
        print(f"portraits: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print(
            "\nportraits: interrupted; run the same command again to go on from here.",
            file=sys.stderr,
        )
        raise typer.Exit(130) from None


def _number_of_jobs(jobs: str) -> int | None:
    """Read the option --jobs; None for auto."""
    if jobs == "auto":
        return None
    try:
        return int(jobs)
    except ValueError:
        raise PortraitsError(f"--jobs must be a number or auto, not {jobs!r}.") from None


if __name__ == "__main__":
    app(prog_name="python -m portraits")
