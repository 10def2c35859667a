"""Measure the memory that users of a JupyterHub take while they run notebook 5.

Memory that several programs share, such as the decoded faces and TensorFlow's libraries, is there
once. So a user counts with what is hers alone, and what all share counts once.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import pandas as pd
import psutil
from playwright.sync_api import Page
from typer import Option, Typer

from tools import browser, hub
from vaelib.__main__ import main

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

NOTEBOOK = "05_attributes.ipynb"
KEPT = 2.0  # GB of a machine for its system and for the hub itself


def memory(processes: list[psutil.Process]) -> tuple[float, float]:
    """Gigabytes of some processes: their shares of all memory (PSS), and what is theirs alone."""
    shares, alone = 0, 0
    for process in processes:
        with suppress(psutil.Error):
            found = process.memory_full_info()
            shares, alone = shares + found.pss, alone + found.uss
    return shares / 1e9, alone / 1e9


@contextmanager
def watched(started: hub.Hub, user: str, seconds: float = 2) -> Iterator[list[dict]]:
    """Note what a user's programs take, every few seconds, until the end."""
    rows: list[dict] = []
    over, start = threading.Event(), time.monotonic()

    def watch() -> None:
        while not over.is_set():
            pss, alone = memory(started.processes(user))
            rows.append({"seconds": time.monotonic() - start, "pss": pss, "alone": alone})
            over.wait(seconds)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield rows
    finally:
        over.set()
        watcher.join()


def summary(rows: pd.DataFrame, shared: float, machine: float) -> dict[str, float]:
    """Build the last line.

    Args:
        rows: seconds, pss and alone of a user, while another one has run the notebook already.
        shared: what both share, at the end, in GB.
        machine: its memory in GB.

    Returns:
        pss_gb: the user's share at its highest. alone_gb: what was hers alone, at its highest;
        after_gb: the same at the end. shared_gb. users: how many fit if all are at the highest
        point at once; users_after: if all have run the notebook and now drag sliders.
    """
    alone, after = float(rows["alone"].max()), float(rows["alone"].iloc[-1])
    room = machine - KEPT - shared
    numbers = {"pss_gb": rows["pss"].max(), "alone_gb": alone, "after_gb": after}
    rounded = {name: round(float(number), 2) for name, number in numbers.items()}
    counts = {"users": int(room // alone), "users_after": int(room // after)}
    return rounded | {"shared_gb": round(shared, 2)} | counts


@app.command()
def measure(
    machine: Annotated[
        float, Option(min=4, max=10_000, help="The memory of the machine, in GB.")
    ] = 16,
) -> None:
    """Let two users run notebook 5, one after the other; the last line is JSON."""
    if why := hub.missing():
        raise ValueError(f"No hub can be started: {why}.")
    if sys.platform != "linux":
        raise ValueError("Only Linux tells what programs share: run it there.")
    if not browser.find_browser():
        raise ValueError("There is no Chrome or Chromium: run `make browser` first.")
    first, second = hub.USERS
    with hub.hub() as started, browser.browser_page() as page:
        run(started, page, first)
        with watched(started, second) as rows:
            run(started, page.context.browser.new_context().new_page(), second)
            time.sleep(5)  # until the kernel has freed what it needed
        both = [memory(started.processes(user)) for user in hub.USERS]
    table = pd.DataFrame(rows)
    print(table.iloc[:: max(1, len(table) // 20)].round(2).to_string(index=False))
    print(json.dumps(summary(table, sum(pss - alone for pss, alone in both), machine)))


def run(started: hub.Hub, page: Page, user: str) -> None:
    """Log in, open notebook 5, and run it to the end."""
    print(f"{user} runs {NOTEBOOK}.", flush=True)
    started.enter(page, user, NOTEBOOK).run_all(1800)


if __name__ == "__main__":
    main(app)
