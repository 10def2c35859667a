"""Measure how fast the model trains: images per second, and the share of the machine's limit.

The limit is the rate of a large product of matrices, measured in the same run.
"""

import json
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

from tqdm import tqdm
from typer import Option, Typer

from benchmarks.contenders import BATCH_SIZE, NAMES, PORTRAITS, contender
from benchmarks.operations import KINDS
from benchmarks.worker import Worker
from groundwork.progress import on_terminal
from vaelib.__main__ import main

TARGET = 0.5  # of the limit

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def measure(
    faces: Annotated[Path, Option(help="A folder in CelebA's layout.")] = PORTRAITS,
    turns: Annotated[int, Option(min=1, max=1000, help="Turns; the result is their median.")] = 7,
    seconds: Annotated[float, Option(min=0.0, max=3600.0, help="Seconds per turn, about.")] = 4.0,
    batch_size: Annotated[int, Option(min=2, max=4096, help="Of our model.")] = BATCH_SIZE,
    image_size: Annotated[Literal[32, 64, 128], Option(help="In pixels.")] = 64,
    jit: Annotated[bool, Option("--jit", help="Compile our model with XLA.")] = False,
    figure: Annotated[Path, Option(help="The picture to write.")] = Path(
        "build/benchmarks/throughput.png"
    ),
) -> None:
    """Train on the same faces in turns, and multiply matrices in between; the last line is JSON.

    Every contender has a process of its own, which waits while another one has its turn. It
    trains on batches in memory: forward pass, backward pass, optimizer. At the end, the default
    recipe is profiled (on a CPU).
    """
    ours = "ours_xla" if jit else "ours"
    names = ["adam", "baseline", "limit"]
    options = (faces, batch_size, image_size, seconds)
    contenders = {ours: contender(ours, *options)}
    try:
        on_cpu = contenders[ours].facts["device"] == "CPU"
        if not on_cpu:
            names.insert(0, "ours" if jit else "ours_xla")
        for name in names:
            contenders[name] = contender(name, *options)
        rates, cores = take_turns(contenders, turns)
    finally:
        for worker in contenders.values():
            worker.stop()
    facts = {name: worker.facts for name, worker in contenders.items()}
    result = summary(ours, rates, cores, facts)
    if on_cpu:
        worker = contender("profile", *options)
        worker.stop()
        result["profile"] = profile_rows(result, worker.facts)
    print(as_text(result))
    if disturbed(result):
        print(
            "Other programs are running, which slows the contenders unequally: "
            "measure again without them."
        )
    draw(result, rates, figure)
    print(f"The figure is {figure}.")
    print(json.dumps(result))


def take_turns(contenders: dict[str, Worker], turns: int) -> tuple[dict, dict]:
    """Let the contenders train one after the other, several times.

    Returns:
        By contender: the rate of each turn, and the median number of cores it used. Rates are
        images per second, that of "limit" multiply-adds per second.
    """
    rates, cores = ({name: [] for name in contenders} for _ in range(2))
    for turn in tqdm(range(turns), "Training", disable=not on_terminal(), leave=False):
        for name, worker in contenders.items():
            answer = worker.work()
            rates[name].append(answer["rate"])
            cores[name].append(answer["cores_used"])
        if not on_terminal():
            shown = ", ".join(
                f"{NAMES[name]} {rate[-1]:.0f}" for name, rate in rates.items() if name != "limit"
            )
            print(f"turn {turn + 1} of {turns}: {shown} images per second", flush=True)
    return rates, {name: median(values) for name, values in cores.items()}


def summary(
    ours: str, rates: dict[str, list[float]], cores: dict[str, float], facts: dict[str, dict]
) -> dict:
    """Build the last line.

    A share or a ratio is computed for each turn, so that a slower machine slows both; then the
    median.

    Args:
        ours: which contender the others are compared with.
        rates: of each turn, see `take_turns`.
        cores: how many it used, by contender.
        facts: what each contender said of itself, by contender.
    """
    training = {name: values for name, values in rates.items() if name != "limit"}
    ratios = {
        name: [mine / its for mine, its in zip(rates[ours], values)]
        for name, values in training.items()
        if name != ours
    }
    shares = {
        name: [
            rate * facts[name]["per_image"] / limit for rate, limit in zip(values, rates["limit"])
        ]
        for name, values in training.items()
    }
    share = {name: round(median(values), 3) for name, values in shares.items()}
    # An optimizer's products are made once per batch.
    whole = {
        name: 1 + facts[name]["per_step"] / facts[name]["per_image"] / facts[name]["batch_size"]
        for name in training
    }
    return {
        "share_of_limit": share[ours],
        "target": TARGET,
        "ratio_to_baseline": round(median(ratios["baseline"]), 3),
        "contender": ours,
        "images_per_second": {name: round(median(rate), 1) for name, rate in training.items()},
        "shares": share,
        "share_ranges": {name: [round(f(v), 3) for f in (min, max)] for name, v in shares.items()},
        "shares_with_optimizer": {name: round(share[name] * whole[name], 3) for name in share},
        "ratios": {name: round(median(values), 3) for name, values in ratios.items()},
        "multiply_adds": {
            name: {kind: facts[name][kind] for kind in ("per_image", "per_step")}
            for name in training
        },
        "limit": {"multiply_adds_per_second": median(rates["limit"]), **facts["limit"]},
        "turns": len(rates[ours]),
        "batch_sizes": {name: facts[name]["batch_size"] for name in training},
        "devices": {name: facts[name]["device"] for name in training},
        "versions": {fact["framework"]: fact["version"] for fact in facts.values()},
        "cores": facts[ours]["cores"],
        "cores_used": {name: round(value, 2) for name, value in cores.items()},
    }


def profile_rows(result: dict, facts: dict) -> list[dict]:
    """The profile, the longest first: kind, share of the time, and share of the limit.

    Args:
        result: of `summary`.
        facts: of the worker "profile": "seconds" and "counted" per step, by `KINDS`.
    """
    total = sum(facts["seconds"].values())
    limit = result["limit"]["multiply_adds_per_second"]
    rows = []
    for kind, seconds in sorted(facts["seconds"].items(), key=lambda item: -item[1]):
        count = facts["counted"].get(kind)
        rate = round(count / seconds / limit, 3) if count and seconds else None
        rows.append({"kind": kind, "of_time": round(seconds / total, 3), "of_limit": rate})
    return rows


def as_text(result: dict) -> str:
    """Format the result as tables: the contenders, the limit, the profile."""
    lines = [
        f"{'':16} {'batch':>6} {'images/s':>9} {'of limit':>9}  {'of all turns':14} "
        f"{'with optimizer':>14} {'ours is':>8}  device"
    ]
    for name, rate in result["images_per_second"].items():
        low, high = result["share_ranges"][name]
        lines.append(
            f"{NAMES[name]:16} {result['batch_sizes'][name]:6} {rate:9.1f} "
            f"{result['shares'][name]:9.1%}  {f'{low:.1%} to {high:.1%}':14} "
            f"{result['shares_with_optimizer'][name]:14.1%} "
            f"{result['ratios'].get(name, 1.0):7.2f}x  {result['devices'][name]}"
        )
    counts, limit = result["multiply_adds"][result["contender"]], result["limit"]
    lines += [
        f"The limit: {limit['multiply_adds_per_second'] / 1e9:.0f} billion multiply-adds per "
        f"second, in the product of two matrices of {limit['side']} x {limit['side']}, float32.",
        f"Of limit: the model's multiply-adds per second, {counts['per_image'] / 1e6:.1f} million "
        f"per image, as a share of it; the aim is {result['target']:.0%}. With optimizer: and its "
        f"products of matrices, {counts['per_step'] / 1e9:.2f} billion per step.",
    ]
    if "profile" in result:
        lines.append(f"\n{'a step of the default recipe':36} {'of its time':>11} {'of limit':>9}")
        for row in result["profile"]:
            rate = "" if row["of_limit"] is None else f"{row['of_limit']:.0%}"
            lines.append(f"{KINDS[row['kind']]:36} {row['of_time']:11.1%} {rate:>9}")
    return "\n".join(lines)


def disturbed(result: dict) -> bool:
    """Whether our model, on a CPU, had less than three quarters of the cores."""
    ours = result["contender"]
    cores = result["cores_used"][ours]
    return result["devices"][ours] == "CPU" and cores < 0.75 * result["cores"]


def draw(result: dict, rates: dict[str, list[float]], path: Path) -> None:
    """Draw bars of the medians, and a dot for each turn."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rates = {name: values for name, values in rates.items() if name != "limit"}
    figure, axes = plt.subplots(figsize=(6, 0.8 + 0.6 * len(rates)), layout="constrained")
    labels = [f"{NAMES[name]}, batches of {result['batch_sizes'][name]}" for name in rates]
    axes.barh(labels, list(result["images_per_second"].values()), color="#9ecae1")
    for label, values in zip(labels, rates.values()):
        axes.plot(values, [label] * len(values), ".", color="#08519c")
    axes.invert_yaxis()
    axes.set_xlabel("training images per second (bar: median, dots: turns)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main(app)
