// The inside of the model in the page: a face, its latents as bars, z, and the decoded face.

const STEP = 0.1; // of the arrow keys, in latent units
const LEAP = 1; // of page up and page down
const STEPS = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP };
Object.assign(STEPS, { PageDown: -LEAP, PageUp: LEAP });
const RELEASE = ["Delete", "Backspace", "Escape"]; // keys that undo what was set by hand

// A number with a minus sign of its own, and never -0.0.
function decimals(x, count) {
  const text = x.toFixed(count);
  return +text === 0 ? text.replace("-", "") : text.replace("-", "−");
}

const cell = (textContent, name = "") =>
  element("span", { className: `number ${name}`, textContent });
const line = (...nodes) => element("div", { className: "strip" }, ...nodes);

function arrow(word) {
  const node = element("div", { className: "arrow" }, word, element("span", { textContent: "→" }));
  node.setAttribute("aria-hidden", "true");
  return node;
}

function render({ model, el }) {
  const { on, watch, stop, button } = listeners(model);
  const id = model.model_id ?? "inside";
  const change = (state) => {
    model.set(state);
    model.save_changes();
  };
  const ask = (action) => model.send({ action });

  // ---------------------------------------------------------------- which face, and which z
  const thumbnails = faceGallery(model, watch, button);
  const shuffle = button("Shuffle", "Other faces", () => ask("shuffle"));
  function radio(source, title) {
    const input = element("input", { type: "radio", name: `${id}-source`, value: source });
    on(input, "change", () => change({ source }));
    watch(["source"], () => (input.checked = model.get("source") === source));
    return element("label", { title }, input, ` ${source}`);
  }
  const sources = element(
    "div",
    { className: "choice" },
    element("span", { textContent: "z is the" }),
    radio("mean", "z = mean, as in editing a face"),
    radio("draw", "z = mean + deviation × epsilon, as in training"),
  );
  sources.setAttribute("role", "radiogroup");
  sources.setAttribute("aria-label", "z is the mean or a draw");
  const draw = button("Draw epsilon", "Draw epsilon anew", () => ask("draw"));
  const reset = button("Reset", "Undo all that was set by hand", () => change({ value: {} }));
  watch(["value"], () => (reset.disabled = Object.keys(model.get("value")).length === 0));

  // ---------------------------------------------------------------- which latents
  const page = element("select");
  page.setAttribute("aria-label", "Which latents are shown");
  on(page, "change", () => change({ first: +page.value }));
  const turn = (pages) => change({ first: model.get("first") + pages * model.get("shown") });
  const back = button("‹", "Latents with a larger KL divergence", () => turn(-1));
  const forth = button("›", "Latents with a smaller KL divergence", () => turn(1));
  for (const node of [back, forth]) node.setAttribute("aria-label", node.title);
  watch(["first", "shown", "order"], () => {
    const [first, shown] = [model.get("first"), model.get("shown")];
    const count = model.get("order").length;
    const starts = new Set([first]); // Python may begin anywhere
    for (let start = 0; start < count; start += shown) starts.add(start);
    const pages = [...starts].sort((one, other) => one - other);
    page.replaceChildren(
      ...pages.map((start) => {
        const end = Math.min(start + shown, count);
        const textContent = `${start + 1} to ${end} of ${count}`;
        return element("option", { value: start, textContent });
      }),
    );
    page.value = first;
    back.disabled = first === 0;
    forth.disabled = first + shown >= count;
  });
  const order = element("select");
  order.append(option("this face"), option("all faces"));
  on(order, "change", () => change({ sort_by: order.value }));
  const sorted = element("label", {}, "sorted by KL of ", order);
  watch(["sort_by"], () => (order.value = model.get("sort_by")));

  // ---------------------------------------------------------------- the bars
  const byHand = (latent) => model.get("value")[latent];
  const release = (latent) => {
    const { [latent]: _, ...value } = model.get("value");
    change({ value });
  };
  const setByHand = (latent, z) =>
    change({ value: { ...model.get("value"), [latent]: z }, selected: latent });
  const panel = element("div", { className: "panel" });
  let numbers = []; // means, deviations, epsilon, KL divergences: one array each
  watch(["numbers"], () => {
    const all = floats(model.get("numbers"));
    const count = all.length / 4;
    numbers = [0, 1, 2, 3].map((i) => all.subarray(i * count, (i + 1) * count));
  });
  function zOf(latent) {
    const [mean, deviation, epsilon] = numbers.map((all) => all[latent]);
    return byHand(latent) ?? (model.get("source") === "draw" ? mean + deviation * epsilon : mean);
  }

  const rows = new Map(); // of the latents on the page
  function latentRow(latent) {
    const input = element("input", { type: "range", step: 0.01, id: `${id}-${latent}` });
    input.dataset.latent = latent;
    on(input, "input", () => setByHand(latent, +input.value));
    on(input, "focus", () => change({ selected: latent }));
    on(input, "dblclick", () => release(latent));
    on(input, "keydown", (event) => {
      const limit = model.get("limit");
      if (RELEASE.includes(event.key)) release(latent);
      else if (event.key in STEPS)
        setByHand(latent, clamp(zOf(latent) + STEPS[event.key], -limit, limit));
      else return;
      event.preventDefault();
    });
    const label = element("label", { htmlFor: input.id, textContent: latent });
    input.setAttribute("aria-label", `Latent ${latent}`);
    const undo = button("×", `Latent ${latent}: undo what was set by hand`, () => {
      release(latent);
      input.focus();
    });
    undo.classList.add("remove");
    undo.setAttribute("aria-label", undo.title);
    const mean = element("div", { className: "mean" });
    const deviation = element("div", { className: "deviation" });
    const track = element("div", { className: "track" });
    track.append(element("div", { className: "scale" }, mean, deviation), input);
    const [spread, z, kl] = [cell("", "spread"), cell(""), cell("")];
    const node = element("div", { className: "latent" }, label, track, spread, z, kl, undo);
    rows.set(latent, { node, mean, deviation, input, spread, z, kl, undo });
    return node;
  }
  const body = element("div");
  watch(["order", "first", "shown"], () => {
    const first = model.get("first");
    rows.clear();
    body.replaceChildren(...model.get("order").slice(first, first + model.get("shown")).map(latentRow));
  });

  const ticks = element("div", { className: "scale" });
  const head = element("div", { className: "latent head" });
  const axis = element("div", { className: "track" }, ticks);
  head.append(cell("latent"), axis, cell("deviation", "spread"), cell("z"), cell("KL, nats"));
  watch(["limit"], () => {
    const limit = model.get("limit");
    const step = limit > 7 ? 4 : 2;
    const count = 2 * Math.floor(limit / step) + 1;
    ticks.replaceChildren(
      ...Array.from({ length: count }, (_, i) => {
        const x = step * (i - (count - 1) / 2);
        const tick = element("span", { textContent: decimals(x, 0) });
        tick.style.left = `${(50 * (x + limit)) / limit}%`;
        return tick;
      }),
    );
    panel.style.setProperty("--unit", `${50 / limit}%`);
  });
  function place() {
    const limit = model.get("limit");
    const percent = (x) => (50 * (clamp(x, -limit, limit) + limit)) / limit;
    const stretch = (node, from, to) => {
      node.style.left = `${percent(from)}%`;
      node.style.width = `${percent(to) - percent(from)}%`;
    };
    for (const [latent, parts] of rows) {
      const [mean, deviation, , kl] = numbers.map((all) => all[latent]);
      const [z, isByHand] = [zOf(latent), byHand(latent) !== undefined];
      stretch(parts.mean, Math.min(mean, 0), Math.max(mean, 0));
      stretch(parts.deviation, mean - deviation, mean + deviation);
      Object.assign(parts.input, { min: -limit, max: limit, value: z });
      parts.spread.textContent = decimals(deviation, 2);
      parts.z.textContent = decimals(z, 2);
      parts.kl.textContent = decimals(kl, 1);
      parts.undo.style.visibility = isByHand ? "visible" : "hidden";
      parts.node.classList.toggle("by-hand", isByHand);
      parts.node.classList.toggle("selected", latent === model.get("selected"));
      const spoken =
        `z ${decimals(z, 2)}${isByHand ? ", set by hand" : ""}; mean ${decimals(mean, 2)}, ` +
        `deviation ${decimals(deviation, 2)}, KL divergence ${decimals(kl, 1)} nats`;
      parts.input.setAttribute("aria-valuetext", spoken);
    }
  }

  // ---------------------------------------------------------------- the faces
  function figure(name, alt) {
    const image = element("img", { className: "face", alt });
    image.dataset.face = name;
    watch([name], () => (image.src = address(model.get(name))));
    const [caption, below] = [element("figcaption"), element("figcaption")];
    return { node: element("figure", { className: name }, caption, image, below), caption, below };
  }
  const face = figure("original", "The face that is encoded");
  face.caption.textContent = "face";
  face.below.textContent = `${model.get("shape").join(" × ")} values`;
  const decoded = figure("decoded", "The face decoded from z");
  watch(["source"], () => (decoded.caption.textContent = `decoded ${model.get("source")}`));
  watch(["error", "value"], () => {
    const count = Object.keys(model.get("value")).length;
    const changed = count ? `; ${count} set by hand` : "";
    const error = decimals(model.get("error"), 1);
    decoded.below.textContent = `error ${error} grey levels${changed}`;
  });

  // ---------------------------------------------------------------- all of it
  const text = (name) => {
    const node = element("p");
    watch([name], () => (node.textContent = model.get(name)));
    return node;
  };
  const key = element(
    "div",
    { className: "strip keys" },
    keyEntry("mean", "var(--mean)", "bar"),
    keyEntry("mean ± deviation", "var(--accent)", "bar"),
    keyEntry("z", "var(--mark)", "pin"),
    keyEntry("prior N(0, 1): ±1 and ±2 deviations", "var(--prior)", "bar"),
  );
  panel.append(head, body, key);
  const stage = element("div", { className: "stage" });
  stage.append(face.node, arrow("encoder"), panel, arrow("decoder"), decoded.node);
  const root = element(
    "div",
    { className: "faces inside" },
    line(thumbnails, shuffle),
    line(sources, draw, reset),
    line(element("div", { className: "choice" }, back, page, forth), sorted),
    stage,
    text("facts"),
    text("about"),
  );
  watch(["numbers", "limit", "source", "value", "order", "first", "shown", "selected"], place);
  mount(el, root, on);
  return () => {
    stop();
    root.remove();
  };
}

export default { render };
