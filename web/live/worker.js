// The model in a thread of its own: decodes and encodes with ONNX Runtime Web, urgent work first.

import * as ort from "./ort.mjs";
import { download } from "./download.js";
import { pngOf, pixelsOf } from "./pixels.js";

ort.env.wasm.numThreads = 1; // more need headers that few hosts send
let runtime; // the promise of the WASM file: one for all models
const models = new Map(); // address of an export -> { decoder, encoder }, promises of sessions
const queue = []; // of jobs: one face each
let busy = false;

function session(base, part) {
  if (!models.has(base)) models.set(base, {});
  const parts = models.get(base);
  parts[part] ??= start(`${base}${part}.onnx.gz`);
  return parts[part];
}

async function start(address) {
  runtime ??= download(new URL("ort.wasm.gz", import.meta.url)).then((binary) => {
    ort.env.wasm.wasmBinary = binary;
  });
  const [model] = await Promise.all([download(address), runtime]);
  return ort.InferenceSession.create(new Uint8Array(model), { graphOptimizationLevel: "all" });
}

async function decode({ base, latent, size }) {
  const decoder = await session(base, "decoder");
  const z = new ort.Tensor("float32", latent, [1, latent.length]);
  const { images } = await decoder.run({ z });
  const image = images.data.slice();
  return { image, png: await pngOf(image, size) };
}

async function encode({ base, image, size }) {
  const encoder = await session(base, "encoder");
  const images = new ort.Tensor("float32", image, [1, size, size, 3]);
  const { z_mean: mean, z_log_var: logVar } = await encoder.run({ images });
  return { mean: mean.data.slice(), logVar: logVar.data.slice() };
}

const ACTIONS = {
  load: ({ base, part }) => session(base, part).then(() => true),
  decode,
  encode,
  png: ({ image, width, height }) => pngOf(image, width, height),
  pixels: ({ file }) => pixelsOf(file),
};

async function work() {
  if (busy) return;
  busy = true;
  while (queue.length) {
    const urgent = queue.findIndex((job) => job.urgent);
    const [job] = queue.splice(Math.max(urgent, 0), 1);
    try {
      self.postMessage({ id: job.id, result: await ACTIONS[job.action](job) });
    } catch (error) {
      self.postMessage({ id: job.id, error: String(error.message ?? error) });
    }
    if (!queue.some((other) => other.urgent)) await pause(); // messages may bring urgent ones
  }
  busy = false;
}

// Lets the messages in that wait; a timer would wait for some milliseconds.
function pause() {
  return new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      done();
    };
    channel.port2.postMessage(0);
  });
}

self.onmessage = ({ data }) => {
  if (data.action === "cancel") {
    for (const [i, job] of [...queue.entries()].reverse()) {
      if (job.group === data.group) queue.splice(i, 1);
    }
    return;
  }
  if (data.action === "load") {
    ACTIONS.load(data).then(
      (result) => self.postMessage({ id: data.id, result }),
      (error) => self.postMessage({ id: data.id, error: String(error.message ?? error) }),
    );
    return;
  }
  queue.push(data);
  work();
};
