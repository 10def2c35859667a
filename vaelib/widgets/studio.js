// The studio in the page: the sliders send their positions, and the kernel answers with a face.

const CHUNK = 1 << 20; // bytes of a photo in one message: Jupyter's server refuses more than 10 MB
const LARGEST = 50e6; // bytes of a photo
const STEP = 0.05; // of a slider
const AHEAD = 9; // positions that one message asks for: BATCH in base.py
const KEPT = 1000; // faces that the page keeps
const FACES = { original: "original", reconstruction: "reconstruction", edited: "edit", truth: "truth" };

// A text that is the same for the same strengths, in any order of the sliders.
function words(value) {
  const moved = Object.entries(value).filter(([, strength]) => Math.abs(strength) > STEP / 2);
  return moved.map(([name, strength]) => `${name} ${strength.toFixed(2)}`).sort().join();
}

function loaded(bytes) {
  return element("img", { src: address(bytes) });
}

function render({ model, el }) {
  const { on, watch, receive, stop, button } = listeners(model);
  const ask = (action, more = {}) => model.send({ action, ...more });

  // ---------------------------------------------------------------- which face
  const gallery = faceGallery(model, watch, button);
  const file = element("input", { type: "file", accept: "image/*" });
  const upload = element("label", { className: "upload" }, "Your photo…", file);
  upload.title =
    model.get("photo_title") ??
    "Choose a file, or drop one here: it goes to your own kernel and nowhere else";
  const source = element(
    "div",
    { className: "strip" },
    button("Shuffle", "Other held-out faces", () => ask("shuffle")),
    upload,
  );
  async function send(photo) {
    if (!photo) return;
    if (photo.size > LARGEST) {
      const megabytes = Math.round(photo.size / 1e6);
      message.textContent =
        `${photo.name} has ${megabytes} MB: choose a picture of at most ${LARGEST / 1e6} MB.`;
      return;
    }
    const parts = Math.max(1, Math.ceil(photo.size / CHUNK));
    for (let part = 0; part < parts; part++) {
      const bytes = await photo.slice(part * CHUNK, (part + 1) * CHUNK).arrayBuffer();
      const about = { action: "photo", name: photo.name, part, parts };
      model.send(about, undefined, [bytes]);
    }
  }
  on(file, "change", async () => {
    await send(file.files[0]);
    file.value = ""; // so that the same file can be chosen again
  });

  // ---------------------------------------------------------------- the faces
  const faces = element("div", { className: "strip" });
  const images = {};
  for (const [name, title] of Object.entries(FACES)) {
    const caption = element("figcaption", { textContent: title });
    const image = element("img", { className: "face", alt: title, decoding: "sync" });
    image.dataset.face = name;
    const figure = element("figure", {}, caption, image);
    faces.append(figure);
    images[name] = image;
    watch([name], () => {
      const bytes = model.get(name);
      figure.hidden = bytes.byteLength === 0;
      if (!figure.hidden && name !== "edited") image.src = address(bytes);
    });
    if (name === "truth") {
      // During a drag, the truth is still that of the last position.
      watch(["dragging"], () => (image.style.opacity = model.get("dragging") ? 0.4 : 1));
    }
  }
  for (const target of [faces, upload]) {
    on(target, "dragover", (event) => event.preventDefault());
    on(target, "drop", (event) => {
      event.preventDefault();
      send(event.dataTransfer.files[0]);
    });
  }

  // ---------------------------------------------------------------- faces decoded ahead
  // While a slider is held, the kernel decodes its other positions, the nearest first, so that
  // most movements find their face in the page.
  // A browser shows the address of an image that is loaded at once, that of another a frame later.
  const ahead = new Map(); // `words` of the sliders -> the face, an image that is loaded
  let held = null; // name of the slider
  let subject = 0; // a number for the face that is edited
  watch(["reconstruction"], () => {
    subject += 1;
    ahead.clear();
  });
  function lookAhead() {
    if (held === null || !model.get("look_ahead")) return;
    const value = model.get("value");
    const limit = model.get("limit");
    const away = (strength) => Math.abs(strength - (value[held] ?? 0));
    const missing = Array.from({ length: Math.round((2 * limit) / STEP) + 1 }, (_, i) => i)
      .map((i) => Math.round(100 * (i * STEP - limit)) / 100)
      .filter((strength) => !ahead.has(words({ ...value, [held]: strength })))
      .sort((one, other) => away(one) - away(other))
      .slice(0, AHEAD);
    if (!missing.length) return;
    ask("ahead", { subject, values: missing.map((s) => ({ ...value, [held]: s })) });
  }
  receive((content, decoded) => {
    if (content.action !== "ahead" || content.subject !== subject) return;
    if (ahead.size > KEPT) ahead.clear();
    decoded.forEach((face, i) => ahead.set(words(content.values[i]), loaded(face)));
    lookAhead();
  });
  function hold(name) {
    if (held === name) return; // its positions are being decoded already
    held = name;
    lookAhead();
  }
  watch(["edited", "edited_for", "value"], () => {
    const wanted = words(model.get("value"));
    const known = words(model.get("edited_for")) === wanted ? undefined : ahead.get(wanted);
    const url = known?.src ?? address(model.get("edited"));
    if (images.edited.src !== url) images.edited.src = url;
  });

  // ---------------------------------------------------------------- the sliders
  const sliders = element("div", { className: "sliders" });
  const inputs = new Map();
  function move(name, strength, dragging) {
    const value = { ...model.get("value"), [name]: strength };
    model.set({ value, dragging }); // ipywidgets sends the newest state only
    model.save_changes();
  }
  function slider(name) {
    const limit = model.get("limit");
    const input = element("input", { type: "range", min: -limit, max: limit, step: STEP });
    const output = element("output");
    input.id = `${model.model_id ?? "studio"}-${name}`;
    input.dataset.attribute = name;
    const label = element("label", { htmlFor: input.id, textContent: spaced(name) });
    const remove = button("×", `Take ${name} away`, () => ask("remove", { name }));
    remove.classList.add("remove");
    remove.setAttribute("aria-label", remove.title);
    on(input, "pointerdown", () => hold(name));
    on(input, "focus", () => hold(name));
    on(input, "blur", () => (held = null));
    on(input, "input", () => {
      output.textContent = (+input.value).toFixed(2);
      move(name, +input.value, true);
    });
    on(input, "change", () => move(name, +input.value, false));
    on(input, "dblclick", () => {
      input.value = 0;
      move(name, 0, false);
    });
    inputs.set(name, { input, output });
    return element("div", { className: "slider" }, label, input, output, remove);
  }
  watch(["sliders"], () => {
    inputs.clear();
    held = null;
    sliders.replaceChildren(...model.get("sliders").map(slider));
  });
  watch(["value", "sliders"], () => {
    for (const [name, { input, output }] of inputs) {
      const strength = model.get("value")[name] ?? 0;
      if (+input.value !== strength) input.value = strength;
      output.textContent = strength.toFixed(2);
    }
  });

  // ---------------------------------------------------------------- the buttons below
  const add = element("select");
  add.setAttribute("aria-label", "Add an attribute");
  on(add, "change", () => ask("add", { name: add.value }));
  watch(["sliders", "choices"], () => {
    const others = model.get("choices").filter((name) => !model.get("sliders").includes(name));
    const first = element("option", { value: "", textContent: "Add an attribute…" });
    add.replaceChildren(first, ...others.map(option));
  });
  const reset = button("Reset", "All sliders back to 0", () => ask("reset"));
  const undo = button("Undo", "Take the last change back", () => ask("undo"));
  watch(["can_undo"], () => (undo.disabled = !model.get("can_undo")));
  const save = button("Save as PNG", "The edited face, as a file", () => {
    const link = element("a", { download: "edit.png" });
    link.href = images.edited.src;
    link.click();
  });
  const code = element("code");
  watch(["code"], () => (code.textContent = model.get("code")));
  const copy = button("Copy", "This edit, as a line of Python", async () => {
    await navigator.clipboard.writeText(model.get("code"));
    message.textContent = "Copied.";
  });
  const message = element("p", { className: "message" });
  message.setAttribute("role", "status");
  watch(["message"], () => (message.textContent = model.get("message")));

  const root = element(
    "div",
    { className: "faces studio" },
    gallery,
    source,
    faces,
    sliders,
    element("div", { className: "strip" }, add, reset, undo, save),
    element("div", { className: "strip" }, code, copy),
    message,
  );
  mount(el, root, on);
  return () => {
    stop();
    root.remove();
  };
}

export default { render };
