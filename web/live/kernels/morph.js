// The morph's kernel in the page: all faces between two, decoded once; then the view needs no kernel.

import { interpolate } from "../latent.js";

export class MorphKernel {
  static view = "morph";
  static state = { frames: [], value: 0 };

  constructor(model, engine, archive) {
    Object.assign(this, { model, engine, archive });
    model.kernel = this;
  }

  async start({ steps = 41 }) {
    const ends = await this.archive.numbers("morph.bin");
    const latents = interpolate(ends.row(0), ends.row(1), steps);
    const faces = await Promise.all(latents.map((z) => this.engine.decode(this.archive, z, "morph")));
    this.model.update({ frames: faces.map(({ png }) => png) });
  }

  changed() {
    const last = this.model.get("frames").length - 1;
    this.model.update({ value: Math.min(Math.max(this.model.get("value"), 0), last) });
  }

  message() {}
}
