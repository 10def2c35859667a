// Faces as numbers and as PNG files.

// A picture, three numbers in [0, 1] for each pixel, as the bytes of a PNG file.
export async function pngOf(image, width, height = width) {
  const pixels = new Uint8ClampedArray(4 * width * height); // it rounds
  for (let from = 0, to = 0; from < image.length; from += 3, to += 4) {
    pixels[to] = 255 * image[from];
    pixels[to + 1] = 255 * image[from + 1];
    pixels[to + 2] = 255 * image[from + 2];
    pixels[to + 3] = 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  const file = await canvas.convertToBlob({ type: "image/png" });
  return new Uint8Array(await file.arrayBuffer());
}

// A picture file as numbers in [0, 1], three for each pixel, and its width and height.
export async function pixelsOf(file) {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const bitmap = await createImageBitmap(new Blob([file]), options);
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { image: numbersOf(context.getImageData(0, 0, width, height).data), width, height };
}

// Four bytes for each pixel -> three numbers in [0, 1].
export function numbersOf(pixels) {
  const image = new Float32Array((3 * pixels.length) / 4);
  for (let from = 0, to = 0; from < pixels.length; from += 4, to += 3) {
    image[to] = pixels[from] / 255;
    image[to + 1] = pixels[from + 1] / 255;
    image[to + 2] = pixels[from + 2] / 255;
  }
  return image;
}

// The face in a place of a sheet: its numbers.
export function faceOf(sheet, size, row) {
  const columns = sheet.width / size;
  const [left, top] = [(row % columns) * size, Math.floor(row / columns) * size];
  const face = new Float32Array(3 * size * size);
  for (let y = 0; y < size; y++) {
    const from = 3 * ((top + y) * sheet.width + left);
    face.set(sheet.image.subarray(from, from + 3 * size), 3 * y * size);
  }
  return face;
}

// Faces side by side as one picture: its numbers, n * size wide and size high.
export function inOneRow(faces, size) {
  const wide = new Float32Array(3 * size * size * faces.length);
  faces.forEach((face, i) => {
    for (let y = 0; y < size; y++) {
      const line = face.subarray(3 * size * y, 3 * size * (y + 1));
      wide.set(line, 3 * size * (y * faces.length + i));
    }
  });
  return wide;
}

// Root mean squared difference of two faces, in grey levels (0 to 255).
export function rmse(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += (one[i] - other[i]) ** 2;
  return 255 * Math.sqrt(sum / one.length);
}
