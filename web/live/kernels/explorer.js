// The explorer's kernel in the page: what vaelib/widgets/explorer.py does after its faces are encoded.

import { newestOnly } from "./gallery.js";

const MARGIN = 0.05; // around the points, of their range

export class ExplorerKernel {
  static view = "explorer";
  static state = {
    value: [0, 0], x_axis: "", y_axis: "", color: "", directions: [], attributes: [],
    points: new Uint8Array(0), bounds: [0, 1, 0, 1], labels: new Uint8Array(0), point_names: [],
    sheet: new Uint8Array(0), sheet_columns: 1, face: new Uint8Array(0),
  };

  constructor(model, engine, archive) {
    Object.assign(this, { model, engine, archive });
    model.kernel = this;
    this.decode = newestOnly(() => this.decodeNow());
  }

  // options: x_axis, y_axis, color, value.
  async start(options) {
    const map = this.archive.index.map;
    const [axes, projections, labels, mean] = await Promise.all(
      ["map_axes", "map_points", "map_labels", "map_mean"].map((n) => this.archive.numbers(`${n}.bin`)),
    );
    Object.assign(this, { map, axes, projections, labels, mean: mean.data });
    this.model.update({
      directions: map.directions,
      attributes: map.attributes,
      point_names: map.names,
      sheet: new Uint8Array(await this.archive.file("map.jpg")),
      sheet_columns: map.columns,
      x_axis: options.x_axis ?? map.directions[0],
      y_axis: options.y_axis ?? map.directions[1],
      color: options.color ?? map.color,
    });
    this.paint();
    await this.place(options.value ?? [0, 0]);
  }

  changed(names) {
    if (names.includes("color")) this.paint();
    if (names.includes("x_axis") || names.includes("y_axis")) this.place([0, 0]);
    else if (names.includes("value")) this.decode();
  }

  message() {}

  paint() {
    const column = this.map.attributes.indexOf(this.model.get("color"));
    const has = this.map.names.map((_, i) => this.labels.row(i)[column]);
    this.model.update({ labels: Uint8Array.from(has) });
  }

  async place(value) {
    this.chosen = ["x_axis", "y_axis"].map((n) => this.map.directions.indexOf(this.model.get(n)));
    const points = new Float32Array(2 * this.map.names.length);
    const bounds = [];
    this.chosen.forEach((axis, side) => {
      const places = this.map.names.map((_, i) => this.projections.row(i)[axis]);
      places.forEach((place, i) => (points[2 * i + side] = place));
      const [low, high] = [Math.min(...places), Math.max(...places)];
      bounds.push(low - MARGIN * (high - low), high + MARGIN * (high - low));
    });
    this.model.update({ points: new Uint8Array(points.buffer), bounds, value });
    await this.decode();
  }

  // Of all latents with these two coordinates, the one nearest to the mean of all faces.
  get latent() {
    const [a, b] = this.chosen.map((axis) => this.axes.row(axis));
    const [x, y] = this.model.get("value");
    const [aa, ab, bb] = [dot(a, a), dot(a, b), dot(b, b)];
    const determinant = aa * bb - ab * ab;
    // Two axes that are one have no second coordinate: both give their half.
    const isOne = determinant < 1e-6 * aa * bb;
    const p = isOne ? x / (2 * aa) : (bb * x - ab * y) / determinant;
    const q = isOne ? y / (2 * aa) : (aa * y - ab * x) / determinant;
    return this.mean.map((mean, i) => mean + p * a[i] + q * b[i]);
  }

  async decodeNow() {
    const { png } = await this.engine.decode(this.archive, this.latent);
    this.model.update({ face: png });
  }
}

function dot(one, other) {
  return one.reduce((sum, x, i) => sum + x * other[i], 0);
}
