// The WebAssembly part of ONNX Runtime Web, from a module that worker.js has compiled.

import factory from "./ort-wasm.mjs";

let compiled = null;

export function use(module) {
  compiled = module;
}

// ONNX Runtime Web calls this once, with its options.
export default function start(options) {
  return new Promise((done, fail) => {
    const instantiateWasm = (imports, ready) => {
      WebAssembly.instantiate(compiled, imports)
        .then((instance) => ready(instance, compiled))
        .catch(fail);
    };
    factory({ ...options, instantiateWasm }).then(done, fail);
  });
}
