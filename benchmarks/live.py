"""Measure the live page: from opening it to the first moving face, and from slider to pixels.

Used by benchmarks.sliders, for its row of the page.
"""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from typer import Option, Typer

from benchmarks.dragging import film, studio_slider
from tools.browser import ROOT, browser_page, find_browser
from tools.live import build_live
from vaelib.__main__ import main

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

SITE = ROOT / "build" / "live"
NETWORK = {  # 20 Mbit/s, and 50 ms from a request to its answer
    "offline": False,
    "latency": 50,
    "downloadThroughput": 20e6 / 8,
    "uploadThroughput": 20e6 / 8,
}
FILMED = "#face=6"  # a person whose hair shows its colour

# Moves a slider by itself once the studio is live, and notes when the edit's pixels have changed.
FIRST = """() => new Promise(done => {
  const look = () => {
    const slider = document.querySelector('[data-live] input[data-attribute=Smiling]');
    const image = document.querySelector('[data-live] img[data-face=edited]');
    if (!slider || !image?.src) return requestAnimationFrame(look);
    const before = image.src;
    slider.value = -1.5;
    slider.dispatchEvent(new Event('input'));
    const moved = () => {
      if (image.src === before) return requestAnimationFrame(moved);
      image.decode().then(() => requestAnimationFrame(() => done(performance.now())));
    };
    moved();
  };
  look();
})"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port as `python -m http.server` does; its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open, as on real servers

        def log_message(self, *_):
            pass

        def handle(self):
            with suppress(ConnectionError):  # a page was closed before all had come
                super().handle()

        def end_headers(self):
            self.send_header("Cache-Control", "max-age=600")  # as GitHub Pages does
            super().end_headers()

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


# Waits until the decoder itself draws the faces: until then, they were decoded beforehand.
DECODER = """() => new Promise(done => {
  const look = () => {
    if (document.querySelector('[data-widget=studio][data-live="128"]')) done(performance.now());
    else setTimeout(look, 10);
  };
  look();
})"""


def first_face(address: str, page_name: str, rounds: int) -> pd.DataFrame:
    """Seconds from opening a page to the first face that moved, and to the decoder.

    With an empty and a full cache.
    """
    rows = []
    for _ in range(rounds):
        with browser_page(viewport={"width": 1280, "height": 1000}) as page:
            client = page.context.new_cdp_session(page)
            client.send("Network.enable")
            client.send("Network.emulateNetworkConditions", NETWORK)
            for cache in ("empty", "full"):
                page.goto(f"{address}/{page_name}", wait_until="commit")
                first, decoder = page.evaluate(FIRST), page.evaluate(DECODER)
                rows.append((cache, first / 1000, decoder / 1000))
                page.wait_for_timeout(500)
                page.goto("about:blank")
    return pd.DataFrame(rows, columns=["cache", "first", "decoder"])


def drag_page(address: str, steps: int, size: int) -> np.ndarray:
    """Milliseconds from the slider to the changed pixels, for each step of a drag."""
    with browser_page(viewport={"width": 1280, "height": 1000}) as page:
        page.goto(f"{address}/studio.html?size={size}#face=0")
        page.locator(f"[data-live='{size}']").wait_for(timeout=120_000)
        page.wait_for_timeout(1000)
        slider = studio_slider(page)
        slider.take(0.5)
        for part in np.linspace(0.1, 0.9, 6):  # warms up
            slider.step(part)
        parts = np.linspace(0.1, 0.9, steps // 6)
        times = [slider.step(part) for _ in range(6) for part in parts]
        slider.drop()
    return np.array(times)


def page_row(address: str, steps: int) -> dict[str, float]:
    """Median and 95th percentile of a drag in the page, in milliseconds, by size of the faces."""
    row = {}
    for size in (64, 128):
        times = drag_page(address, steps, size)
        row[f"page_median_ms_{size}"] = np.median(times)
        row[f"page_p95_ms_{size}"] = np.quantile(times, 0.95)
    return {name: round(float(number), 2) for name, number in row.items()}


def film_page(address: str, path: Path) -> None:
    """Film a drag of the page's studio as an animated GIF."""
    with browser_page(viewport={"width": 900, "height": 1000}) as page:
        page.goto(f"{address}/studio.html{FILMED}")
        page.locator("[data-live='128']").wait_for(timeout=120_000)
        page.wait_for_timeout(1000)
        film(page, path)


@app.command()
def measure(
    steps: Annotated[int, Option(min=12, max=100_000, help="Movements of the slider.")] = 120,
    rounds: Annotated[int, Option(min=1, max=100, help="Times that the page is opened.")] = 5,
    page: Annotated[str, Option(help="The page that is opened.")] = "studio.html",
    site: Annotated[Path | None, Option(help="A site that is built; else one is built.")] = None,
    gif: Annotated[Path | None, Option(help="Film a drag into this file.")] = None,
) -> None:
    """Open the page, drag its slider; the last line is JSON."""
    if not find_browser():
        raise ValueError("There is no Chrome or Chromium: run `make browser` first.")
    if site is None:
        build_live(SITE)
    result = {}
    with served(site or SITE) as address:
        opened = first_face(address, page, rounds)
        for cache, seconds in opened.groupby("cache"):
            print(f"first moving face, {cache} cache: {sorted(seconds['first'].round(2))} s")
            print(f"decoder, {cache} cache: {sorted(seconds['decoder'].round(2))} s")
            result[f"{cache}_cache_s"] = round(float(seconds["first"].median()), 2)
            result[f"{cache}_cache_decoder_s"] = round(float(seconds["decoder"].median()), 2)
        result |= page_row(address, steps)
        if gif:
            film_page(address, gif)
    print(json.dumps(result))


if __name__ == "__main__":
    main(app)
