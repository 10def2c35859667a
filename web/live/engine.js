// The page's side of worker.js: fetches the model, asks for faces, and gets them as promises.

import { download, packed } from "./download.js";

const RUNTIME = new URL("ort.wasm.gz", import.meta.url);
const WARM_UP = new URL("warm_up.onnx.gz", import.meta.url); // a decoder whose weights are all 0

export class Engine {
  constructor() {
    this.graphs = new Map(); // address -> promise that it is loaded
    this.waiting = new Map(); // id -> what to do with the answer
    this.count = 0;
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data: { id, result, error } }) => {
      const job = this.waiting.get(id);
      if (!this.waiting.delete(id)) return; // cancelled
      if (error === undefined) job.done(result);
      else job.fail(new Error(error));
    });
    this.worker.addEventListener("error", (event) => {
      for (const job of this.waiting.values()) job.fail(new Error(event.message));
      this.waiting.clear();
    });
    this.ready = new Set(); // addresses of graphs that are loaded
    this.started = null; // promise that the runtime is on its way to the worker
  }

  // The runtime starts, and decodes once, while the first graph is still on its way.
  async start() {
    const [runtime, bytes] = await Promise.all([packed(RUNTIME), download(WARM_UP)]);
    this.worker.postMessage({ action: "start", runtime, bytes }, [runtime, bytes]);
  }

  ask(action, values, transfer = []) {
    const id = (this.count += 1);
    return new Promise((done, fail) => {
      this.waiting.set(id, { done, fail, group: values.group });
      this.worker.postMessage({ id, action, ...values }, transfer);
    });
  }

  // Fetch and start a graph of a model: "decoder" or "encoder". Once.
  load(archive, part) {
    const graph = archive.address(`${part}.onnx.gz`);
    if (!this.graphs.has(graph)) {
      this.graphs.set(graph, this.loadNow(graph));
      this.graphs.get(graph).catch(() => this.graphs.delete(graph)); // it may be asked for again
    }
    return this.graphs.get(graph);
  }

  async loadNow(graph) {
    await (this.started ??= this.start()); // the graph after it, since it takes time to start
    const bytes = await download(graph);
    await this.ask("load", { graph, bytes }, [bytes]);
    this.ready.add(graph);
  }

  // Whether faces can be decoded at once.
  canDecode(archive) {
    return this.ready.has(archive.address("decoder.onnx.gz"));
  }

  // The latent of one face -> { image, png }. A face of a group waits for all that are urgent.
  async decode(archive, latent, group = "") {
    await this.load(archive, "decoder");
    const graph = archive.address("decoder.onnx.gz");
    return this.ask("decode", { graph, latent, group, size: archive.size });
  }

  // Forget the faces of a group that are not begun.
  cancel(group) {
    for (const [id, job] of this.waiting) if (job.group === group) this.waiting.delete(id);
    this.worker.postMessage({ action: "cancel", group });
  }

  // A face -> { mean, logVar }.
  async encode(archive, image) {
    await this.load(archive, "encoder");
    const graph = archive.address("encoder.onnx.gz");
    return this.ask("encode", { graph, image, size: archive.size });
  }

  // A picture as the bytes of a PNG file, and the other way round.
  png(image, width, height = width) {
    return this.ask("png", { image, width, height });
  }

  pixels(file) {
    return this.ask("pixels", { file });
  }
}
