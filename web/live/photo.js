// A photo of one's own: upright, cropped to a square, resized; it does not leave the page.

import { numbersOf } from "./pixels.js";
import { say } from "./say.js";

const LARGEST = 50e6; // bytes, pixels and side: as in vaelib/data/photo.py and images.py
const MOST_PIXELS = 55e6; // a PNG's limit there
const LONGEST_SIDE = 65_535;

// The numbers of a photo in a model's size; an Error with the notebook's sentence refuses it.
export async function readPhoto(file, name, size, words) {
  if (file.size > LARGEST) {
    throw new Error(say(words.photo_bytes, { name, megabytes: file.size / 1e6 }));
  }
  const url = URL.createObjectURL(file);
  try {
    const picture = new Image();
    picture.src = url;
    await loaded(picture).catch(() => {
      throw new Error(say(words.photo_unreadable, { name }));
    });
    const { naturalWidth: width, naturalHeight: height } = picture;
    const reason = tooLarge(width, height, words);
    if (reason) throw new Error(say(words.photo_unsuitable, { name, reason }));
    await picture.decode().catch(() => {
      throw new Error(say(words.photo_unreadable, { name }));
    });
    return resized(picture, width, height, size);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function loaded(picture) {
  return new Promise((done, fail) => {
    picture.onload = done;
    picture.onerror = fail;
  });
}

function tooLarge(width, height, words) {
  if (width * height > MOST_PIXELS) {
    const values = { pixels: (width * height) / 1e6, most: MOST_PIXELS / 1e6 };
    return say(words.photo_pixels, values);
  }
  const side = Math.max(width, height);
  return side > LONGEST_SIDE ? say(words.photo_side, { side, most: LONGEST_SIDE }) : "";
}

// The square in the middle, halved until it is less than twice as large, then resized: smoothing
// looks at few pixels, so one step from a large photo would leave most of them out.
function resized(picture, width, height, size) {
  let side = Math.min(width, height);
  let [source, left, top] = [picture, (width - side) / 2, (height - side) / 2];
  do {
    const next = side >= 4 * size ? Math.ceil(side / 2) : size;
    const context = canvas(next);
    context.fillRect(0, 0, next, next);
    context.drawImage(source, left, top, side, side, 0, 0, next, next);
    [source, left, top, side] = [context.canvas, 0, 0, next];
  } while (side > size);
  return numbersOf(source.getContext("2d").getImageData(0, 0, size, size).data);
}

function canvas(side) {
  const node = new OffscreenCanvas(side, side);
  const context = node.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white"; // under what is transparent
  context.imageSmoothingQuality = "high";
  return context;
}
