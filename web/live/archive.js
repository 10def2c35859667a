// An exported model in the page: its index, its vectors, and its faces, fetched when they are needed.

import { download } from "./download.js";
import { faceOf } from "./pixels.js";

const TYPES = { float32: Float32Array, uint8: Uint8Array };

export class Archive {
  // `base` is the address of an export's folder, with a slash at its end.
  static async open(base) {
    const index = JSON.parse(new TextDecoder().decode(await download(`${base}index.json`)));
    return new Archive(base, index);
  }

  constructor(base, index) {
    Object.assign(this, { base, index, fetched: new Map(), sheets: new Map() });
    this.size = index.image_size;
    this.latentDim = index.latent_dim;
    this.count = index.people.length;
  }

  address(name) {
    return `${this.base}${name}`;
  }

  file(name) {
    if (!this.fetched.has(name)) this.fetched.set(name, download(this.address(name)));
    return this.fetched.get(name);
  }

  // The numbers in a .bin file, as { data, row(i) }.
  async numbers(name, entry = this.index.files[name]) {
    const data = new TYPES[entry.type](await this.file(`${name}.gz`));
    const width = entry.shape.at(-1);
    return { data, width, row: (i) => data.subarray(i * width, (i + 1) * width) };
  }

  // Attribute -> vector.
  async vectors() {
    const numbers = await this.numbers("vectors.bin");
    return new Map(this.index.attributes.map((name, i) => [name, numbers.row(i)]));
  }

  // The face in a row of the people: its numbers. The first ones come in a small file.
  async face(row, engine) {
    const name = row < this.index.first ? "first.png" : "faces.png";
    if (!this.sheets.has(name)) {
      this.sheets.set(name, this.file(name).then((file) => engine.pixels(file)));
    }
    return faceOf(await this.sheets.get(name), this.size, row);
  }

  // The posterior of the face in a row: means, and logarithms of the variances.
  async mean(row) {
    const name = row < this.index.first ? "first.bin" : "z_mean.bin";
    return (await this.numbers(name)).row(row);
  }

  async posterior(row) {
    const logVars = await this.numbers("z_log_var.bin");
    return { mean: await this.mean(row), logVar: logVars.row(row) };
  }
}
