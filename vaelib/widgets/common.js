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

// Listeners to the page (`on`) and to the kernel (`watch`, called once at the start, and
// `receive`); `stop` removes all of them when the view is removed.
function listeners(model) {
  const stop = new AbortController();
  const listen = (event, action) => {
    model.on(event, action);
    stop.signal.addEventListener("abort", () => model.off(event, action));
  };
  return {
    on: (node, event, action) => node.addEventListener(event, action, { signal: stop.signal }),
    watch: (names, action) => {
      listen(names.map((name) => `change:${name}`).join(" "), action);
      action();
    },
    receive: (action) => listen("msg:custom", action),
    stop: () => stop.abort(),
  };
}

// Put the widget into the page. JupyterLab's shortcuts do not get the keys pressed in it.
function mount(el, root, on) {
  root.dataset.lmSuppressShortcuts = "true";
  on(root, "keydown", (event) => event.stopPropagation());
  el.append(root);
}

