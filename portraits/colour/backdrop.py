"""The backdrop: a gradient, shapes out of focus, and darker corners."""

import numpy as np

from groundwork.compiled import compiled
from portraits.maths import Array, linear
from portraits.people.traits import Backdrop


def paint_backdrop(backdrop: Backdrop, width: int, height: int) -> Array:
    """Paint the backdrop in linear light: float32 (3, height, width)."""
    colors = [backdrop.start, backdrop.stop, *(spot.color for spot in backdrop.spots)]
    shapes = [
        (s.x, s.y, 1 / s.width, 1 / s.height, s.softness, s.strength, s.square)
        for s in backdrop.spots
    ]
    return _paint(
        np.stack([linear(color)[:, 0] for color in colors]),
        np.array(shapes, np.float32).reshape(-1, 7),
        np.float32(np.cos(backdrop.angle)),
        np.float32(np.sin(backdrop.angle)),
        np.float32(backdrop.vignette),
        width,
        height,
    )


@compiled()
def _paint(colors, shapes, across, down, vignette, width, height):
    """Paint it; `colors` (2 + k, 3) are those of the gradient, then of the shapes (k, 7)."""
    image = np.empty((3, height, width), np.float32)
    one, half = np.float32(1), np.float32(0.5)
    for row in range(height):
        y = (np.float32(row) + half) / np.float32(height)
        for column in range(width):
            x = (np.float32(column) + half) / np.float32(width)
            t = half + np.float32(0.8) * ((x - half) * across + (y - half) * down)
            t = min(max(t, np.float32(0)), one)
            red = colors[0, 0] + (colors[1, 0] - colors[0, 0]) * t
            green = colors[0, 1] + (colors[1, 1] - colors[0, 1]) * t
            blue = colors[0, 2] + (colors[1, 2] - colors[0, 2]) * t
            for k in range(len(shapes)):
                dx = abs(x - shapes[k, 0]) * shapes[k, 2]
                dy = abs(y - shapes[k, 1]) * shapes[k, 3]
                if dx >= one or dy >= one:
                    continue
                if shapes[k, 6] > half:
                    cover = _fade(dx, shapes[k, 4]) * _fade(dy, shapes[k, 4])
                else:
                    cover = _fade(np.sqrt(dx * dx + dy * dy), shapes[k, 4])
                cover *= shapes[k, 5]
                red += (colors[2 + k, 0] - red) * cover
                green += (colors[2 + k, 1] - green) * cover
                blue += (colors[2 + k, 2] - blue) * cover
            out = (x - half) * (x - half) + (y - half) * (y - half)
            shade = one - vignette * min(out * np.float32(1.8), one)
            image[0, row, column] = max(red * shade, np.float32(0.003))
            image[1, row, column] = max(green * shade, np.float32(0.003))
            image[2, row, column] = max(blue * shade, np.float32(0.003))
    return image


@compiled()
def _fade(distance, softness):
    """Fall from 1 inside a shape to 0 at a distance of 1; `softness` is the share that fades."""
    t = min(max((np.float32(1) - distance) / softness, np.float32(0)), np.float32(1))
    return t * t * (np.float32(3) - np.float32(2) * t)
