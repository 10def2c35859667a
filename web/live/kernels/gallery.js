// What the kernels in the page have in common: faces, a gallery, and one answer at a time.

import { inOneRow } from "../pixels.js";

const OFFERED = 12; // faces to choose from at a time, as in vaelib/widgets/gallery.py

// Runs an asynchronous action; while it runs, of all further calls the last one counts.
export function newestOnly(action) {
  let [running, next] = [false, null];
  return async (...values) => {
    next = values;
    if (running) return;
    running = true;
    try {
      while (next) {
        const now = next;
        next = null;
        await action(...now);
      }
    } finally {
      running = false;
    }
  };
}

export class GalleryKernel {
  constructor(model, engine, archive) {
    Object.assign(this, { model, engine, archive });
    model.kernel = this;
    this.rows = Array.from({ length: Math.min(OFFERED, archive.index.first) }, (_, i) => i);
  }

  changed() {}

  message(content) {
    if (content.action === "choose") this.choose(this.rows[content.place]);
    if (content.action === "shuffle") this.shuffle();
  }

  async shuffle() {
    const rest = Array.from({ length: this.archive.count }, (_, i) => i);
    this.rows = this.rows.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]);
    await this.showGallery();
    await this.choose(this.rows[0]);
  }

  async showGallery() {
    const { size } = this.archive;
    const faces = await Promise.all(this.rows.map((row) => this.archive.face(row, this.engine)));
    const count = faces.length;
    const gallery = await this.engine.png(inOneRow(faces, size), count * size, size);
    this.model.update({ gallery, gallery_size: count });
  }

  placeOf(row) {
    return this.rows.indexOf(row);
  }
}
