// Functions that the widgets share. Python puts this file before that of each widget, so that both
// are one module; .oxlintrc.json lists the names.

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// An attribute's name as people write it: Blond_Hair is Blond Hair.
function spaced(name) {
  return name.replaceAll("_", " ");
}

// A choice of a menu: an attribute, or another direction.
function option(name) {
  return element("option", { value: name, textContent: spaced(name) });
}

// The URL of an image, given as the bytes of its file. It holds the data; the URL of a blob would
// cost a fetch of some milliseconds, and would have to be revoked.
function address(view, type = "png") {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return `data:image/${type};base64,${btoa(text)}`;
}

// The numbers in a buffer of 32-bit floats.
function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// A line of a key: a mark in a colour, and what it means.
function keyEntry(text, color, shape) {
  const node = element("span", { className: `key ${shape}` }, text);
  node.style.setProperty("--dot", color);
  return node;
}

// Listeners to the page (`on`) and to the kernel (`watch`, called once at the start, and
// `receive`), and buttons that do something; `stop` removes all of them when the view is removed.
function listeners(model) {
  const stop = new AbortController();
  const listen = (event, action) => {
    model.on(event, action);
    stop.signal.addEventListener("abort", () => model.off(event, action));
  };
  const on = (node, event, action) => node.addEventListener(event, action, { signal: stop.signal });
  return {
    on,
    watch: (names, action) => {
      listen(names.map((name) => `change:${name}`).join(" "), action);
      action();
    },
    receive: (action) => listen("msg:custom", action),
    button: (text, title, action) => {
      const node = element("button", { type: "button", textContent: text, title });
      on(node, "click", action);
      return node;
    },
    stop: () => stop.abort(),
  };
}

// Small faces to choose from: gallery.py.
function faceGallery(model, watch, button) {
  const gallery = element("div", { className: "strip" });
  gallery.setAttribute("role", "group");
  gallery.setAttribute("aria-label", "Choose a face");
  watch(["gallery", "gallery_size"], () => {
    const size = model.get("gallery_size");
    const sheet = address(model.get("gallery"));
    const thumbnails = Array.from({ length: size }, (_, i) => {
      const node = button("", "", () => model.send({ action: "choose", place: i }));
      node.className = "thumbnail";
      node.setAttribute("aria-label", `Face ${i + 1} of ${size}`);
      node.style.backgroundImage = `url(${sheet})`;
      node.style.backgroundPosition = `${size > 1 ? (100 * i) / (size - 1) : 0}% 0`;
      return node;
    });
    gallery.replaceChildren(...thumbnails);
  });
  watch(["place", "gallery"], () =>
    [...gallery.children].forEach((node, i) =>
      node.setAttribute("aria-pressed", i === model.get("place")),
    ),
  );
  return gallery;
}

// Put the widget into the page. JupyterLab's shortcuts do not get the keys pressed in it.
function mount(el, root, on) {
  root.dataset.lmSuppressShortcuts = "true";
  on(root, "keydown", (event) => event.stopPropagation());
  el.append(root);
}

