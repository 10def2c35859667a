// A photo of one's own: upright, cropped to a square, resized; it does not leave the page.

import { numbersOf } from "./pixels.js";
import { say } from "./say.js";

// As in vaelib/data/photo.py and images.py.
const LARGEST = 50e6; // bytes
const MEMORY = 500e6; // bytes of a decoded picture
const MOST_PIXELS = 80e6;
const LONGEST_SIDE = 65_535;
const TAIL = 65_536; // bytes in which a file's end is searched
const BOMB = 178_956_970; // pixels: Pillow's limit
const CELEBA = { width: 178, height: 218, box: [15, 40, 148] }; // left, top, side

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
    if (width * height > BOMB) throw new Error(say(words.photo_bomb, { name }));
    const reason = tooLarge(width, height, await bytesPerPixel(file), words);
    if (reason) throw new Error(say(words.photo_unsuitable, { name, reason }));
    if (!(await isWhole(file))) throw new Error(say(words.photo_unreadable, { name }));
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
    picture.addEventListener("load", done);
    picture.addEventListener("error", fail);
  });
}

async function letters(part) {
  return new TextDecoder("latin1").decode(await part.arrayBuffer());
}

// What decoding a picture takes, by its format: the first bytes of the file tell.
async function bytesPerPixel(file) {
  const head = await letters(file.slice(0, 12));
  if (head.startsWith("\u00ff\u00d8")) return 6; // JPG
  return head.endsWith("WEBP") ? 18 : 9;
}

// Whether a file has its end: browsers show the first part of one that was cut short.
async function isWhole(file) {
  const [head, tail] = [await letters(file.slice(0, 4)), await letters(file.slice(-TAIL))];
  if (head.endsWith("PNG")) return tail.includes("IEND");
  if (!head.startsWith("\u00ff\u00d8")) return true;
  return tail.lastIndexOf("\u00ff\u00d9") > tail.lastIndexOf("\u00ff\u00da"); // end, start of a scan
}

function tooLarge(width, height, each, words) {
  const most = Math.min(MOST_PIXELS, MEMORY / each);
  if (width * height > most) {
    return say(words.photo_pixels, { pixels: (width * height) / 1e6, most: most / 1e6 });
  }
  const side = Math.max(width, height);
  return side > LONGEST_SIDE ? say(words.photo_side, { side, most: LONGEST_SIDE }) : "";
}

// The square that is kept: [left, top, side].
function squareBox(width, height) {
  if (width !== height && Math.abs(width / height - CELEBA.width / CELEBA.height) < 0.01) {
    const [left, top, side] = CELEBA.box.map((edge) => (edge * width) / CELEBA.width);
    return [left, top, Math.min(side, height - top)];
  }
  const side = Math.min(width, height);
  return [(width - side) / 2, (height - side) / 2, side];
}

// The square, halved until it is less than four times as large, then resized: smoothing looks at
// few pixels, so one step from a large photo would leave most of them out.
function resized(picture, width, height, size) {
  let source = picture;
  let [left, top, side] = squareBox(width, height);
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
