// Faces that were decoded beforehand: what the sliders show until the decoder is there.

import { faceOf, pixelsOf, pngOf } from "./pixels.js";

const SAME = 0.03; // strengths that differ by less are the same

export class Ahead {
  // Of the person in a row, for sliders that begin with `value`: if there are any, `isThere`.
  constructor(archive, row, value) {
    // The rows, where the sliders begin, and the strengths at which one of them is moved from there.
    this.about = archive.index.ahead;
    Object.assign(this, { archive, row, sheets: new Map() });
    this.isThere = Boolean(this.about?.rows.includes(row) && this.find(value));
  }

  file(name) {
    return this.archive.file(`ahead_${this.row}_${name}.webp`);
  }

  // Fetch all faces.
  async fetch() {
    await Promise.all(["start", ...this.about.sliders].map((name) => this.file(name)));
  }

  // The face for these strengths, as { image, png }; null if it was not decoded.
  async face(value) {
    const found = this.find(value);
    if (!found) return null;
    const [name, place] = found;
    if (!this.sheets.has(name)) {
      this.sheets.set(name, this.file(name).then(pixelsOf));
    }
    const { size } = this.archive;
    const image = faceOf(await this.sheets.get(name), size, place);
    return { image, png: await pngOf(image, size) };
  }

  // The decoder is there, so the memory can be used for something else.
  forget() {
    this.isThere = false;
    this.sheets.clear();
  }

  // The sheet and the place in it: ["start", 0] is the reconstruction, ["start", 1] the beginning.
  find(value) {
    const { start, sliders, low, step, count } = this.about;
    if (!Object.keys(value).length) return ["start", 0];
    const names = [...new Set([...Object.keys(start), ...Object.keys(value)])];
    const away = (name) => Math.abs((value[name] ?? 0) - (start[name] ?? 0));
    const moved = names.filter((name) => away(name) > SAME);
    if (!moved.length) return ["start", 1];
    if (moved.length > 1 || !sliders.includes(moved[0])) return null;
    const place = Math.round(((value[moved[0]] ?? 0) - low) / step);
    return place >= 0 && place < count ? [moved[0], place] : null;
  }
}
