// The model in a thread of its own: decodes and encodes with ONNX Runtime Web, urgent work first.

import * as ort from "./ort.mjs";
import { compile } from "./download.js";
import { pixelsOf, pngOf } from "./pixels.js";
import { use } from "./runtime.js";

ort.env.wasm.numThreads = 1; // more need headers that few hosts send
ort.env.wasm.wasmPaths = { mjs: new URL("runtime.js", import.meta.url).href };
const sessions = new Map(); // address of a graph -> promise of its session
const queue = []; // one job a face
let busy = false;
let started = null; // promise that the runtime has started

// Start the runtime, and run a graph, so that its functions are compiled before they are needed.
async function start({ runtime, bytes }) {
  use(await compile(runtime));
  const session = await open(bytes);
  const [{ name, shape }] = session.inputMetadata;
  const size = shape.at(-1);
  await session.run({ [name]: new ort.Tensor("float32", new Float32Array(size), [1, size]) });
  await session.release();
}

function open(bytes) {
  const options = { graphOptimizationLevel: "all", executionProviders: ["wasm"] };
  return ort.InferenceSession.create(new Uint8Array(bytes), options);
}

const ACTIONS = {
  async decode({ graph, latent, size }) {
    const decoder = await sessions.get(graph);
    const z = new ort.Tensor("float32", latent, [1, latent.length]);
    const { images } = await decoder.run({ z });
    const image = images.data.slice();
    return { image, png: await pngOf(image, size) };
  },
  async encode({ graph, image, size }) {
    const encoder = await sessions.get(graph);
    const images = new ort.Tensor("float32", image, [1, size, size, 3]);
    const { z_mean: mean, z_log_var: logVar } = await encoder.run({ images });
    return { mean: mean.data.slice(), logVar: logVar.data.slice() };
  },
  png: ({ image, width, height }) => pngOf(image, width, height),
  pixels: ({ file }) => pixelsOf(file),
  async load({ graph, bytes }) {
    await started;
    sessions.set(graph, open(bytes));
    await sessions.get(graph);
  },
};

async function work() {
  if (busy) return;
  busy = true;
  while (queue.length) {
    const urgent = queue.findIndex((job) => !job.group);
    const [job] = queue.splice(Math.max(urgent, 0), 1);
    try {
      self.postMessage({ id: job.id, result: await ACTIONS[job.action](job) });
    } catch (error) {
      self.postMessage({ id: job.id, error: String(error.message ?? error) });
    }
    if (!queue.some((other) => !other.group)) await pause(); // messages may bring urgent ones
  }
  busy = false;
}

// Let in the messages that wait. A timer would take some milliseconds.
function pause() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((done) => {
    port1.addEventListener("message", () => {
      port1.close();
      done();
    });
    port1.start();
    port2.postMessage(0);
  });
}

self.addEventListener("message", ({ data }) => {
  if (data.action === "cancel") {
    const kept = queue.filter((job) => job.group !== data.group);
    queue.splice(0, queue.length, ...kept);
  } else if (data.action === "start") {
    started = start(data); // not in the queue: small work may come between its steps
    started.catch(() => {}); // whoever loads a graph hears of it
  } else {
    queue.push(data);
    work();
  }
});
