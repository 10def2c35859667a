"""Measure how fast the model trains, compared with its twin in PyTorch and the baseline."""

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

from tqdm import tqdm
from typer import Option, Typer

from benchmarks.worker import Worker, serve
from groundwork.places import data_folder
from groundwork.processes import usable_cores
from groundwork.progress import on_terminal

NAMES = {
    "ours": "ours",
    "ours_xla": "ours with XLA",
    "torch": "ours in PyTorch",
    "baseline": "the baseline",
}
PORTRAITS = data_folder() / "portraits"
BATCH_SIZE = 64  # the default of vaelib.training.train
BASELINE_BATCH_SIZE = 128
FACES = 1024  # in memory, trained on repeatedly

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def measure(
    faces: Annotated[Path, Option(help="A folder in CelebA's layout.")] = PORTRAITS,
    turns: Annotated[int, Option(min=1, max=1000, help="Turns; the result is their median.")] = 7,
    seconds: Annotated[float, Option(min=0.0, max=3600.0, help="Seconds per turn, about.")] = 4.0,
    batch_size: Annotated[
        int, Option(min=2, max=4096, help="Of our model, in both frameworks.")
    ] = BATCH_SIZE,
    image_size: Annotated[Literal[32, 64, 128], Option(help="In pixels.")] = 64,
    jit: Annotated[bool, Option("--jit", help="Compile our model with XLA.")] = False,
    figure: Annotated[Path, Option(help="The picture to write.")] = Path(
        "build/benchmarks/throughput.png"
    ),
) -> None:
    """Train on the same faces in turns, and compare images per second; the last line is JSON.

    Every contender has a process of its own, which waits while another one has its turn. It
    trains on batches in memory: forward pass, backward pass, Adam.
    """
    ours = "ours_xla" if jit else "ours"
    names = ["torch", "baseline"]
    if not importlib.util.find_spec("torch"):
        print("PyTorch is not installed (pip install -e .[torch]): the twin is left out.")
        names.remove("torch")
    options = (faces, batch_size, image_size, seconds)
    contenders = {ours: contender(ours, *options)}
    try:
        if contenders[ours].facts["device"] == "GPU":
            names.insert(0, "ours" if jit else "ours_xla")
        for name in names:
            contenders[name] = contender(name, *options)
        rates, cores = take_turns(contenders, turns)
    finally:
        for worker in contenders.values():
            worker.stop()
    result = summary(
        ours, rates, cores, {name: worker.facts for name, worker in contenders.items()}
    )
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
        By contender: the images per second of each turn, and the median number of cores it used.
    """
    rates, cores = ({name: [] for name in contenders} for _ in range(2))
    for turn in tqdm(range(turns), "Training", disable=not on_terminal(), leave=False):
        for name, worker in contenders.items():
            answer = worker.work()
            rates[name].append(answer["rate"])
            cores[name].append(answer["cores_used"])
        if not on_terminal():
            shown = ", ".join(f"{NAMES[name]} {rate[-1]:.0f}" for name, rate in rates.items())
            print(f"turn {turn + 1} of {turns}: {shown} images per second", flush=True)
    return rates, {name: median(values) for name, values in cores.items()}


def summary(
    ours: str, rates: dict[str, list[float]], cores: dict[str, float], facts: dict[str, dict]
) -> dict:
    """Build the last line.

    A ratio is computed for each turn, so that a slower machine slows both; then the median.

    Args:
        ours: which contender the others are compared with.
        rates: images per second of each turn, by contender.
        cores: how many it used, by contender.
        facts: what each contender said of itself, by contender.
    """
    ratios = {
        name: sorted(mine / its for mine, its in zip(rates[ours], rates[name]))
        for name in rates
        if name != ours
    }
    middle = {name: round(median(values), 3) for name, values in ratios.items()}
    return {
        "ratio_to_torch": middle.get("torch"),
        "ratio_to_baseline": middle.get("baseline"),
        "contender": ours,
        "images_per_second": {name: round(median(values), 1) for name, values in rates.items()},
        "ratios": middle,
        "ratio_ranges": {name: [round(v[0], 3), round(v[-1], 3)] for name, v in ratios.items()},
        "turns": len(rates[ours]),
        "batch_sizes": {name: fact["batch_size"] for name, fact in facts.items()},
        "devices": {name: fact["device"] for name, fact in facts.items()},
        "versions": {fact["framework"]: fact["version"] for fact in facts.values()},
        "cores": facts[ours]["cores"],
        "cores_used": {name: round(value, 2) for name, value in cores.items()},
    }


def as_text(result: dict) -> str:
    """Format the result as a table, one line per contender."""
    lines = [f"{'':16} {'batch':>6} {'images/s':>9} {'ratio':>6}  {'of all turns':14} device"]
    for name, rate in result["images_per_second"].items():
        ratio = result["ratios"].get(name, 1.0)
        low, high = result["ratio_ranges"].get(name, (1.0, 1.0))
        lines.append(
            f"{NAMES[name]:16} {result['batch_sizes'][name]:6} {rate:9.1f} {ratio:6.2f}  "
            f"{f'{low:.2f} to {high:.2f}':14} {result['devices'][name]}"
        )
    lines.append(
        f"(ratio: the images per second of {NAMES[result['contender']]} over those of the line)"
    )
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


# ------------------------------------------------------------------ one process for each


def contender(name: str, faces: Path, batch_size: int, image_size: int, seconds: float) -> Worker:
    """Start a process that trains one of `NAMES` for about `seconds` per turn.

    Raises:
        ChildProcessError: it can't start.
    """
    size = BASELINE_BATCH_SIZE if name == "baseline" else batch_size
    values = (name, faces.resolve(), size, image_size, seconds)
    return Worker(NAMES[name], "benchmarks.throughput", *values)


def _contend(name: str, folder: str, batch_size: int, image_size: int, seconds: float) -> None:
    """Warm up, then train for a turn for each line read; the body of the process."""
    from vaelib.data.faces import read_faces
    from vaelib.data.pixels import load_images

    faces = read_faces(folder)
    images = load_images(faces, faces.file_names("train")[:FACES], image_size)
    batches = [images[i : i + batch_size] for i in range(0, len(images), batch_size)]
    batches = [batch for batch in batches if len(batch) == batch_size]
    if not batches:
        raise ValueError(
            f"{folder} has {len(images)} faces to train on, and {NAMES[name]} needs {batch_size}."
        )
    prepare = _prepare_torch if name == "torch" else _prepare_keras
    train, facts = prepare(name, batches, image_size)
    train(3)  # traces, compiles, chooses kernels
    steps = 3
    while (taken := _time(train, steps)) < min(1.0, seconds):
        steps *= 2
    steps = max(2, round(steps / taken * seconds))
    facts |= {"batch_size": batch_size, "cores": usable_cores()}

    def turn() -> dict:
        busy = time.process_time()
        taken = _time(train, steps)
        used = (time.process_time() - busy) / taken
        return {"rate": steps * batch_size / taken, "cores_used": used}

    serve(facts, turn)


def _time(train: Callable[[int], None], steps: int) -> float:
    start = time.perf_counter()
    train(steps)
    return time.perf_counter() - start


def _prepare_keras(name: str, batches: list, image_size: int) -> tuple[Callable, dict]:
    import keras
    import numpy as np
    import tensorflow as tf

    from benchmarks.baseline import build_baseline
    from vaelib import VAE, build_decoder, build_encoder

    keras.utils.set_random_seed(0)
    if name == "baseline":
        vae = build_baseline(image_size)
    else:
        vae = VAE(build_encoder(image_size), build_decoder(image_size))
        vae.compile(keras.optimizers.Adam(), jit_compile=name == "ours_xla")
    data = tf.data.Dataset.from_tensor_slices(np.stack(batches)).repeat().prefetch(2)

    def train(steps: int) -> None:
        vae.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return train, {"framework": "tensorflow", "version": tf.__version__, "device": device}


def _prepare_torch(name: str, batches: list, image_size: int) -> tuple[Callable, dict]:
    import keras
    import torch

    from benchmarks.torch_twin import TorchVAE
    from vaelib import VAE, build_decoder, build_encoder

    torch.set_flush_denormal(True)  # as TensorFlow does; before PyTorch starts its threads
    torch.set_num_threads(usable_cores())
    torch.set_float32_matmul_precision("high")  # as TensorFlow does on a GPU
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda" if on_gpu else "cpu")
    vae = TorchVAE(VAE(build_encoder(image_size), build_decoder(image_size))).to(device).train()
    # Batches are (b, h, w, 3) in Keras, so a permuted view is channels last here.
    data = [torch.from_numpy(batch).permute(0, 3, 1, 2) for batch in batches]
    optimizer = torch.optim.Adam(vae.parameters(), 1e-3, eps=1e-7, fused=True)

    def train(steps: int) -> None:
        for step in range(steps):
            loss = vae(data[step % len(data)].to(device, non_blocking=True))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        loss.item()  # waits for a GPU to finish

    return train, {
        "framework": "torch",
        "version": torch.__version__,
        "device": "GPU" if on_gpu else "CPU",
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        _contend(*sys.argv[2:4], int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
    else:
        from vaelib.__main__ import main

        main(app)
