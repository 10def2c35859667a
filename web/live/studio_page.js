// The page with the studio alone: its link holds the face and the sliders, #face=12&Smiling=1.2.

import { start } from "./live.js";

const node = document.querySelector("[data-widget=studio]");
const copy = document.querySelector("#link");
const said = document.querySelector("#said");

// The face and the sliders in the link; {} where it has none.
function fromLink() {
  const parts = [...new URLSearchParams(location.hash.slice(1))];
  if (!parts.length) return {};
  const numbers = parts.map(([name, text]) => [name, Number(text)]);
  const { face = 0, ...value } = Object.fromEntries(numbers.filter(([, x]) => Number.isFinite(x)));
  return { face, value };
}

function toLink(model) {
  if (model.get("dragging")) return;
  const row = model.get("row");
  const strengths = Object.entries(model.get("value")).map(([name, x]) => [name, +x.toFixed(2)]);
  const parts = [...(row === null ? [] : [["face", row]]), ...strengths];
  const hash = `#${new URLSearchParams(parts)}`;
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

// ?size=64 stays with the smaller faces, for slow machines.
const size = new URLSearchParams(location.search).get("size");
if (["64", "128"].includes(size)) node.dataset.model = size;
const model = await start(node, fromLink());
if (model) {
  model.on("change:value change:dragging change:row", () => toLink(model));
  addEventListener("hashchange", () => {
    const { face, value } = fromLink();
    if (value) model.kernel.show(face, value);
  });
  copy.disabled = false;
  copy.addEventListener("click", async () => {
    toLink(model);
    await navigator.clipboard.writeText(location.href);
    said.textContent = model.get("row") === null ? "Copied, without the photo." : "Copied.";
  });
}
