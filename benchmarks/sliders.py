"""Measure how soon a face follows a slider: in the studio, in interact, and in the live page."""

import json
from pathlib import Path
from typing import Annotated

import nbformat
import numpy as np
import pandas as pd
from tqdm import tqdm
from typer import Option, Typer

from benchmarks.dragging import Slider, film, studio_slider
from benchmarks.live import SITE, page_row, served
from groundwork.progress import on_terminal
from tools.browser import ROOT, Notebook, browser_page, find_browser, jupyter
from tools.live import build_live
from vaelib.__main__ import main

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

STUDIO = """\
import matplotlib.pyplot as plt
import numpy as np
import vaelib
from ipywidgets import interact
from vaelib.counterfactuals import redraw
from vaelib.vectors import load_vectors
from vaelib.widgets import Studio

MODEL = "pretrained-128"
vae, vectors = vaelib.load_model(MODEL), load_vectors(MODEL)
size = vae.image_size
faces = vaelib.read_faces("portraits")
names = faces.file_names("test")[:100]


def truth(row, switched):
    return redraw(faces, names[row], switched, size, drawn=size)


images = np.stack([truth(row, {}) for row in range(len(names))])


def make(look_ahead):
    sliders = ["Blond_Hair", "Smiling", "Eyeglasses", "Young"]
    return Studio(vae, images, vectors, sliders, truth, look_ahead=look_ahead)


studio = make(True)
studio"""
WAITS = "make(False)"
FILMED = 6  # a person whose hair shows its colour: its place in the gallery
PITCH = 56  # pixels from one face of the gallery to the next

INTERACT = """\
def show(Blond_Hair=0.0):
    z = vaelib.edit(studio.z, vectors.loc["Blond_Hair"], Blond_Hair)
    plt.imshow(vae.picture_model.predict_on_batch(z[None])[0])  # as the studio does
    plt.show()


interact(show, Blond_Hair=(-2.0, 2.0, 0.05));"""


def interact_slider(page) -> Slider:
    """Find the slider of `interact`."""
    widget = page.locator(".widget-interact")
    way = widget.locator(".noUi-target").bounding_box()
    handle = widget.locator(".noUi-handle").bounding_box()
    y = handle["y"] + handle["height"] / 2
    return Slider(page, widget, way["x"], way["x"] + way["width"], y)


SLIDERS = {
    "studio": studio_slider,
    "without look-ahead": lambda page: studio_slider(page, 1),
    "interact": interact_slider,
}


def bring(page, name: str) -> None:
    """Scroll to one of SLIDERS and activate its cell, so that the page does not move later."""
    if name == "interact":
        text = page.locator(".widget-interact .widget-label").first
    else:
        studio = page.locator(".faces.studio").nth(list(SLIDERS).index(name))
        text = studio.locator("figcaption").first
    for _ in range(2):
        text.evaluate("node => node.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(300)
        text.click()
    page.wait_for_timeout(500)


def race(page, steps: int, start: float, rounds: int = 6) -> pd.DataFrame:
    """Measure the milliseconds of each step, in turns; handles go from `start` to 0.9."""
    rows = []
    for turn in tqdm(range(rounds), "Dragging", disable=not on_terminal(), leave=False):
        for name, make in SLIDERS.items():
            bring(page, name)
            slider = make(page)
            slider.take(start if turn == 0 else 0.9)
            parts = np.linspace(0.1, 0.9, steps // rounds)
            rows += [(name, slider.step(part)) for part in parts]
            slider.drop()
    return pd.DataFrame(rows, columns=["slider", "ms"])


def summary(times: pd.DataFrame, settled: dict[str, float]) -> dict:
    """Build the last line.

    Args:
        times: of `race`.
        settled: milliseconds from the last movement of a fast drag to the last face, by slider.

    Returns:
        median_ms, p95_ms, settled_ms: of the studio; with `waiting_` before them, of a studio
        without look-ahead; ratio_to_matplotlib: the median of interact over that of the studio;
        matplotlib_median_ms.
    """
    groups = times.groupby("slider")["ms"]
    medians, high = groups.median(), groups.quantile(0.95)
    ours, waiting, plain = SLIDERS
    numbers = {
        "median_ms": medians[ours],
        "p95_ms": high[ours],
        "ratio_to_matplotlib": medians[plain] / medians[ours],
        "settled_ms": settled[ours],
        "waiting_median_ms": medians[waiting],
        "waiting_p95_ms": high[waiting],
        "waiting_settled_ms": settled[waiting],
        "matplotlib_median_ms": medians[plain],
    }
    return {name: round(float(number), 2) for name, number in numbers.items()}


def write_notebook(path: Path) -> None:
    """Write a notebook with the studio, one without look-ahead, and interact, in this order."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in (STUDIO, WAITS, INTERACT)],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def choose(page, row: int) -> None:
    """Choose a face of the studio's gallery."""
    gallery = page.locator(".faces.studio [aria-label='Choose a face']").first
    box = gallery.bounding_box()
    gallery.click(position={"x": (row + 0.5) * PITCH, "y": box["height"] / 2})
    page.wait_for_timeout(1500)  # until it is decoded


@app.command()
def measure(
    steps: Annotated[int, Option(min=12, max=100_000, help="Movements of each slider.")] = 120,
    faces: Annotated[str, Option(help="Only the portraits, with the model of the course.")] = (
        "portraits"
    ),
    gif: Annotated[Path | None, Option(help="Film a drag into this file.")] = None,
) -> None:
    """Drag sliders in JupyterLab and in the live page; the last line is JSON."""
    if faces != "portraits":
        raise ValueError(f"There is no model for {faces} here: leave --faces out.")
    if not find_browser():
        raise ValueError("There is no Chrome or Chromium: run `make browser` first.")
    path = ROOT / "build" / "benchmarks" / "sliders.ipynb"
    write_notebook(path)
    with (
        jupyter(path.with_suffix(".log")) as server,
        browser_page(viewport={"width": 1280, "height": 1000}) as page,
    ):
        Notebook(page, server, path.relative_to(ROOT).as_posix()).run_all()
        race(page, 12, start=0.5)  # warms both up
        times = race(page, steps, start=0.9)
        settled = {}
        for name in list(SLIDERS)[:2]:
            bring(page, name)
            slider = SLIDERS[name](page)
            slider.take(0.9)
            settled[name] = slider.rush(200)
            slider.drop()
        if gif:
            bring(page, "studio")
            page.get_by_role("button", name="Reset", exact=True).first.click()
            choose(page, FILMED)
            film(page, gif)
    table = times.groupby("slider")["ms"].describe(percentiles=[0.5, 0.95])
    print(table[["count", "min", "50%", "95%", "max"]].round(1).to_string())
    build_live(SITE)
    with served(SITE) as address:
        page_times = page_row(address, steps)
    print(json.dumps(summary(times, settled) | page_times))


if __name__ == "__main__":
    main(app)
