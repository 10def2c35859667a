"""Drag a slider of a studio in a browser: time its pictures, film them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

# Notes when the pointer moved and, for each change of the picture, when it had been painted. The
# picture is the first one in `root`; it has changed when its pixels have, not only its address.
WATCH = """root => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [64, 64];
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const look = image => {
    context.clearRect(0, 0, 64, 64);
    context.drawImage(image, 0, 0, 64, 64);
    return context.getImageData(0, 0, 64, 64).data.join();
  };
  const painted = image => new Promise(done => requestAnimationFrame(() => {
    const pixels = find() === image && image.complete ? look(image) : watch.last;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done([pixels, performance.now()]);
    channel.port2.postMessage(0);
  }));
  const find = () => root.querySelector('img[data-face=edited]') ?? root.querySelector('img');
  const watch = {moved: 0, changes: [], last: look(find())};
  const stop = new AbortController();
  document.addEventListener('pointermove', event => { watch.moved = event.timeStamp; },
    {capture: true, signal: stop.signal});
  const observer = new MutationObserver(async () => {
    const image = find();
    if (!image) return;
    if (!image.complete) await image.decode().catch(() => {});
    const [now, time] = await painted(image);
    if (now === watch.last) return;
    watch.last = now;
    watch.changes.push(time);
  });
  observer.observe(root, {subtree: true, childList: true, attributes: true,
    attributeFilter: ['src']});
  watch.stop = () => { observer.disconnect(); stop.abort(); };
  window.watch?.stop();
  window.watch = watch;
}"""


class Slider:
    """A slider in the page, and the picture that it changes.

    Args:
        page: the browser's.
        root: locator of what holds the picture.
        left, right: x of the handle at both ends, in pixels of the page.
        y: y of the handle.
    """

    def __init__(self, page, root, left: float, right: float, y: float):
        self.page, self.left, self.right, self.y = page, left, right, y
        self.root = root

    def take(self, part: float) -> None:
        """Press the mouse button on the handle, which is at `part` (0 to 1) of the slider."""
        self.root.evaluate(WATCH)
        self.page.mouse.move(self._x(part), self.y)
        self.page.mouse.down()
        self.page.wait_for_timeout(400)

    def drop(self) -> None:
        self.page.mouse.up()
        self.page.wait_for_timeout(400)

    def step(self, part: float) -> float:
        """Move once; return the milliseconds until the picture has changed."""
        self.page.evaluate("() => { window.watch.changes = []; }")
        self.page.mouse.move(self._x(part), self.y)
        self.page.wait_for_function("() => window.watch.changes.length", timeout=10_000)
        self.page.wait_for_timeout(60)  # so that the next step begins when nothing is moving
        return self.page.evaluate("() => window.watch.changes[0] - window.watch.moved")

    def rush(self, movements: int) -> float:
        """Move to and fro without a pause; return the milliseconds until the last picture.

        They count from the last movement; 0 if the right picture was there before.
        """
        self.page.evaluate("() => { window.watch.changes = []; }")
        for i in range(movements):
            self.page.mouse.move(
                self._x(0.5 + 0.4 * np.sin(6 * np.pi * (i + 1) / movements)), self.y
            )
        self.page.wait_for_timeout(1500)
        return max(
            0.0, self.page.evaluate("() => window.watch.changes.at(-1) - window.watch.moved")
        )

    def _x(self, part: float) -> float:
        return self.left + part * (self.right - self.left)


def studio_slider(page, which: int = 0) -> Slider:
    """Find the slider for Blond_Hair of the first studio, or of another."""
    root = page.locator(".faces.studio").nth(which)
    box = root.locator("input[data-attribute=Blond_Hair]").bounding_box()
    y = box["y"] + box["height"] / 2
    half = 8  # of the handle
    return Slider(page, root, box["x"] + half, box["x"] + box["width"] - half, y)


def film(page, path: Path) -> None:
    """Film a drag of the studio's slider as an animated GIF, and the truth that then appears."""
    slider = studio_slider(page)
    slider.take(0.5)
    way = [*np.linspace(0.5, 0.95, 16), *np.linspace(0.95, 0.08, 30), *np.linspace(0.08, 0.8, 20)]
    frames = []

    def keep():
        frames.append(Image.open(io.BytesIO(slider.root.screenshot())).convert("RGB"))

    for part in way:
        page.mouse.move(slider._x(part), slider.y)
        page.wait_for_timeout(80)
        keep()
    slider.drop()
    for _ in range(24):  # the truth is drawn, and stays for a while
        page.wait_for_timeout(80)
        keep()
    palette = frames[8].quantize(128)
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=90, loop=0)
