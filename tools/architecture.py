"""Draw docs/architecture.svg: the floors of the packages, and what imports what.

    python tools/architecture.py

The floors are those of [tool.importlinter] in pyproject.toml, the arrows are read from the code.
"""

import math
import re
import sys
import tomllib
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import grimp
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Route

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.files import written_whole  # noqa: E402

PICTURE = ROOT / "docs" / "architecture.svg"
PACKAGES = {"vaelib": "#1f77b4", "portraits": "#2ca02c", "groundwork": "#7f7f7f"}
# Inches: of a box, from one to the next, and between boxes and frame.
WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 1.55, 0.5, 1.8, 1.1, 0.15
ARROW = {"arrowstyle": "-|>", "mutation_scale": 12, "lw": 1.2, "alpha": 0.7}
Arrows = dict[str, set[str]]


def main() -> None:
    """Write the picture."""
    draw(floors(), arrows(), PICTURE)
    print(f"{PICTURE.relative_to(ROOT)} shows the imports as they are.")


def floors() -> dict[str, list[list[str]]]:
    """The floors of each package, the highest first: lists of modules such as "vaelib.model"."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = {c["containers"][0]: c["layers"] for c in contracts if "containers" in c}
    result = {
        package: [[f"{package}.{name}" for name in re.split(r" *[|:] *", row)] for row in rows]
        for package, rows in layers.items()
    }
    return result | {"groundwork": [sorted(modules("groundwork"))]}


def modules(package: str) -> set[str]:
    """The modules and packages that lie directly in a package."""
    return grimp.build_graph(package).find_children(package)


def arrows() -> Arrows:
    """What each module imports, where a sub-package counts as one module.

    An arrow is left out where others say it: from A to C, if A imports B, and B imports C.
    Imports of groundwork are left out, too: it lies under everything. To vaelib, portraits is one
    module.
    """
    graph = grimp.build_graph("vaelib", "portraits")
    rooms = graph.find_children("vaelib") | graph.find_children("portraits")
    for room in rooms:
        graph.squash_module(room)
    seen = rooms | {"portraits"}
    imports = {
        room: {
            "portraits" if room.startswith("vaelib.") and to.startswith("portraits.") else to
            for to in graph.find_modules_directly_imported_by(room) & seen - {room}
        }
        for room in rooms
    } | {"portraits": set()}
    return {
        room: {
            target
            for target in targets
            if not any(target in below(imports, other) for other in targets - {target})
        }
        for room, targets in imports.items()
    }


def below(imports: Arrows, room: str) -> set[str]:
    """All that a module imports, directly or through others."""
    found: set[str] = set()
    todo = [room]
    while todo:
        new = imports[todo.pop()] - found
        found |= new
        todo += new
    return found


def text(arrows: Arrows) -> str:
    """The arrows in words: what a test compares, and what screen readers read."""
    lines = [f"{room} -> {', '.join(sorted(to))}" for room, to in sorted(arrows.items()) if to]
    return "\n".join(lines)


def described(picture: Path) -> str:
    """Read the description inside the SVG file."""
    tree = ElementTree.parse(picture)
    return next(e.text for e in tree.iter() if e.tag.endswith("}description"))


def lay_out(rows: list[list[str]], arrows: Arrows) -> tuple[dict[str, float], list[list[tuple]]]:
    """Find places with few crossings, after Sugiyama: barycentres, from floor to floor.

    An arrow that passes floors gets a point on each of them, so that it runs between the boxes.
    Arrows to the same module meet there.

    Returns:
        The x of each module, and each arrow's points: (x, floor) from its start to its end.
    """
    floor = {room: i for i, row in enumerate(rows) for room in row}
    levels: list[list] = [list(row) for row in rows]
    chains = []
    for start, target in sorted((a, b) for a in floor for b in arrows.get(a, ()) if b in floor):
        points = [(target, i) for i in range(floor[start] + 1, floor[target])]
        chains.append([start, *points, target])
        for point in points:
            if point not in levels[point[1]]:
                levels[point[1]].append(point)
    pairs = sorted({pair for chain in chains for pair in pairwise(chain)}, key=str)
    above: dict = {node: [a for a, b in pairs if b == node] for row in levels for node in row}
    below: dict = {node: [b for a, b in pairs if a == node] for row in levels for node in row}
    best, fewest = levels, math.inf
    for sweep in range(40):
        neighbours = above if sweep % 2 else below
        at = {node: i / len(row) for row in levels for i, node in enumerate(row)}
        levels = levels if sweep % 2 else levels[::-1]
        for row in levels:
            middle = {n: np.mean([at[m] for m in neighbours[n]] or at[n]) for n in row}
            row.sort(key=lambda node: middle[node])
            at |= {node: i / len(row) for i, node in enumerate(row)}
        levels = levels if sweep % 2 else levels[::-1]
        if (number := crossings(levels, below)) < fewest:
            best, fewest = [list(row) for row in levels], number
    x = settle(best, {node: above[node] + below[node] for node in above})
    level = {node: i for i, row in enumerate(best) for node in row}
    return x, [[(x[node], level[node]) for node in chain] for chain in chains]


def crossings(levels: list[list], below: dict) -> int:
    """Count the pairs of arrows between neighbouring floors that cross."""
    count = 0
    for upper, lower in pairwise(levels):
        order = {node: i for i, node in enumerate(lower)}
        ends = [[order[node] for node in below[start]] for start in upper]
        count += sum(p > q for a, b in combinations(ends, 2) for p in a for q in b)
    return count


def settle(levels: list[list], neighbours: dict) -> dict:
    """Move everything towards what it is joined to, and keep the order and the distances."""
    x: dict = {}
    for row in levels:
        x |= {node: (i - (len(row) - 1) / 2) * ACROSS for i, node in enumerate(row)}
    for _ in range(200):
        for row in levels:
            wanted = [np.mean([x[m] for m in neighbours[node]] or x[node]) for node in row]
            sizes = [ACROSS if isinstance(node, str) else 0.3 for node in row]
            gaps = np.concatenate([[0], np.cumsum([(a + b) / 2 for a, b in pairwise(sizes)])])
            free = np.array(wanted) - gaps  # must not fall from left to right
            left, right = np.maximum.accumulate(free), np.minimum.accumulate(free[::-1])[::-1]
            x |= zip(row, (left + right) / 2 + gaps)
    return x


def draw(floors: dict[str, list[list[str]]], arrows: Arrows, path: Path) -> None:
    """Draw vaelib at the left, portraits at the right, and groundwork under both."""
    plt.rcParams.update({"svg.hashsalt": "architecture", "font.family": "DejaVu Sans"})
    figure = plt.figure()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    left = 0.0
    for package in ("vaelib", "portraits"):
        rows = [list(row) for row in floors[package]]
        if package == "vaelib":
            rows[-1].append("portraits")  # its own frame is beside
        x, routes = lay_out(rows, arrows)
        shift = left + WIDTH / 2 + MARGIN - min(x[room] for row in rows for room in row)
        width = max(x[room] for row in rows for room in row) + shift + WIDTH / 2 + MARGIN - left
        heights = [(len(rows) - i) * DOWN for i in range(len(rows))]
        draw_frame(axes, package, left, width, heights[-1], heights[0])
        for route in routes:
            draw_arrow(axes, [(at + shift, heights[i]) for at, i in route], PACKAGES[package])
        for row, y in zip(rows, heights, strict=True):
            for room in row:
                draw_box(axes, x[room] + shift, y, room)
        left += width + 0.6
    width = left - 0.6
    base = sorted(floors["groundwork"][0])
    draw_frame(axes, "groundwork", 0, width, -0.55, -0.55)
    for i, room in enumerate(base):
        draw_box(axes, (i + 0.5) * width / len(base), -0.55, room)
    top = max(len(rows) for rows in floors.values()) * DOWN + 0.9
    axes.set(xlim=(-0.1, width + 0.1), ylim=(-1.05, top))
    figure.set_size_inches(width + 0.2, top + 1.05)
    with written_whole(path) as aside:
        figure.savefig(aside, format="svg", metadata={"Date": None, "Description": text(arrows)})
    plt.close(figure)


def draw_frame(
    axes: Axes, package: str, left: float, width: float, low: float, high: float
) -> None:
    """Draw a package as a pale area with its name, around boxes from `low` to `high`."""
    bottom, top = low - HEIGHT / 2 - 0.15, high + HEIGHT / 2 + 0.5
    style = "round,pad=0,rounding_size=0.1"
    color = PACKAGES[package]
    area = FancyBboxPatch((left, bottom), width, top - bottom, style, color=color, alpha=0.1)
    axes.add_patch(area)
    axes.text(left + 0.15, top - 0.1, package, color=color, size=18, weight="bold", va="top")


def draw_box(axes: Axes, x: float, y: float, room: str) -> None:
    """Draw a module as a box."""
    package, _, name = room.partition(".")
    corner, style = (x - WIDTH / 2, y - HEIGHT / 2), "round,pad=0,rounding_size=0.08"
    box = FancyBboxPatch(corner, WIDTH, HEIGHT, style, fc="white", ec=PACKAGES[package], zorder=3)
    axes.add_patch(box)
    axes.text(x, y, name or package, ha="center", va="center", size=13, zorder=4)


def draw_arrow(axes: Axes, points: list[tuple[float, float]], color: str) -> None:
    """Draw an arrow from box to box: upright on each floor, curved between two."""
    half = HEIGHT / 2
    vertices = [(points[0][0], points[0][1] - half)]
    codes = [Route.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        y0, y1 = y0 - half, y1 + half
        vertices += [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2), (x1, y1)]
        codes += [Route.CURVE4] * 3
        if (x1, y1 - half) != points[-1]:
            vertices.append((x1, y1 - HEIGHT))
            codes.append(Route.LINETO)
    axes.add_patch(FancyArrowPatch(path=Route(vertices, codes), color=color, zorder=2, **ARROW))


if __name__ == "__main__":
    main()
