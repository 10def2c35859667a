// The page's side of worker.js: asks for faces, and gets them as promises.

export class Engine {
  constructor() {
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.waiting = new Map(); // id -> what to do with the answer
    this.count = 0;
    this.worker.onmessage = ({ data: { id, result, error } }) => {
      const { done, fail } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) done(result);
      else fail(new Error(error));
    };
    this.failed = new Promise((_, fail) => {
      this.worker.onerror = (event) => {
        const error = new Error(event.message ?? "The worker does not start.");
        for (const job of this.waiting.values()) job.fail(error);
        this.waiting.clear();
        fail(error);
      };
    });
    this.failed.catch(() => {}); // whoever waits for an answer hears of it
  }

  ask(action, more = {}) {
    const id = (this.count += 1);
    return new Promise((done, fail) => {
      this.waiting.set(id, { done, fail });
      this.worker.postMessage({ id, action, ...more });
    });
  }

  // The latent of one face -> { image, png }. What is not urgent waits for all that is.
  decode(archive, latent, urgent = true) {
    return this.ask("decode", { ...archive.about, latent, urgent });
  }

  // A face -> { mean, logVar }.
  encode(archive, image) {
    return this.ask("encode", { ...archive.about, image, urgent: true });
  }

  png(image, width, height = width) {
    return this.ask("png", { image, width, height, urgent: true });
  }

  pixels(file) {
    return this.ask("pixels", { file, urgent: true });
  }

  // Fetch and start a part of a model, "decoder" or "encoder".
  load(archive, part) {
    return this.ask("load", { ...archive.about, part });
  }
}
