// Makes the widgets of a page live: <div class="latent-faces" data-widget="studio">a picture</div>.
//
// data-widget: studio, morph, explorer or inside. data-model: the size of the faces. data-options:
// JSON, what the widget begins with; widgets.json has the rest. data-live is set once the widget can
// be used: to the size of the faces, or to "" while the studio shows faces that came with the page,
// until its decoder is there. The text of a page never waits for a model.

import { Archive } from "./archive.js";
import { download } from "./download.js";
import { Engine } from "./engine.js";
import { ExplorerKernel } from "./kernels/explorer.js";
import { InsideKernel } from "./kernels/inside.js";
import { MorphKernel } from "./kernels/morph.js";
import { StudioKernel } from "./kernels/studio.js";
import { PageModel } from "./page_model.js";

const HERE = new URL("./", import.meta.url).href;
const KERNELS = [StudioKernel, MorphKernel, ExplorerKernel, InsideKernel];
const AHEAD = "300px"; // a widget is started so far below the window
const PROBLEM =
  "This widget can't run in this browser, which needs WebAssembly and module workers; " +
  "the picture shows how it looks.";

let started = 0; // widgets
const shared = new Map(); // what all widgets of the page use: name -> promise

function once(name, make) {
  if (!shared.has(name)) shared.set(name, make());
  return shared.get(name);
}

const settings = () =>
  once("settings", async () => JSON.parse(new TextDecoder().decode(await download(`${HERE}widgets.json`))));
const engine = () => once("engine", () => new Engine());
const archive = (size) => once(`archive ${size}`, () => Archive.open(`${HERE}models/${size}/`));

// Start one widget; returns its model. The picture stays until the widget can be used.
export async function start(node, more = {}) {
  node.setAttribute("aria-busy", "true");
  try {
    if (typeof WebAssembly !== "object" || typeof OffscreenCanvas !== "function") {
      throw new Error("no WebAssembly");
    }
    return await startNow(node, more);
  } catch (error) {
    console.warn(error);
    note(node, PROBLEM);
    return null;
  } finally {
    node.removeAttribute("aria-busy");
  }
}

async function startNow(node, more) {
  const name = node.dataset.widget;
  const Kernel = KERNELS.find(({ view }) => view === name);
  if (!Kernel) throw new Error(`There is no widget ${name}.`);
  const size = node.dataset.model ?? "64";
  const worker = engine();
  const view = import(`./widgets/${name}.js`);
  view.catch(() => {});
  const [model, { words, options }] = await Promise.all([archive(size), settings()]);
  const own = JSON.parse(node.dataset.options ?? "{}");
  const whole = { ...options[name], ...own, ...more, words };
  const page = new PageModel(Kernel.state, `live-${name}-${(started += 1)}`);
  const kernel = new Kernel(page, worker, model);
  // What came with the page comes first, since the decoder would hold it up.
  if (!kernel.beginsWithout?.(whole)) worker.load(model, "decoder").catch(() => {});
  await kernel.start(whole);
  const el = document.createElement("div");
  const { default: widget } = await view;
  widget.render({ model: page, el });
  const still = [...node.childNodes];
  node.replaceChildren(el);
  node.dataset.live = "";
  const decoder = worker.load(model, "decoder").then(() => kernel.exact?.());
  decoder.then(() => (node.dataset.live = size)).catch((error) => fail(node, still, error));
  return page;
}

// The decoder did not come: the picture again.
function fail(node, still, error) {
  console.warn(error);
  delete node.dataset.live;
  node.replaceChildren(...still);
  note(node, PROBLEM);
}

function note(node, text) {
  let line = node.querySelector(".live-note");
  if (!line) {
    line = document.createElement("p");
    line.className = "live-note";
    node.append(line);
  }
  line.textContent = text;
}

function idle(action) {
  const later = window.requestIdleCallback ?? ((task) => setTimeout(task, 500));
  later(() => action(), { timeout: 5000 });
}

// Start each widget of the page when it comes near the window, or when the page is idle.
export function startAll(root = document) {
  const waiting = new Set(root.querySelectorAll(".latent-faces[data-widget]:not([data-alone])"));
  const begin = (node) => waiting.delete(node) && start(node);
  const seen = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => begin(target)),
    { rootMargin: AHEAD },
  );
  for (const node of waiting) seen.observe(node);
  if (navigator.connection?.saveData) return;
  addEventListener("load", () => setTimeout(() => idle(() => [...waiting].forEach(begin)), 3000));
}

startAll();
