// What the widgets share: this stands in front of each of them, in one module.

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// An image file's bytes as an address. One with the data in it needs no fetch, which a blob's
// does: the face is there some milliseconds sooner, and nothing has to be given back.
function address(view, type = "png") {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return `data:image/${type};base64,${btoa(text)}`;
}

// Listeners to the page (`on`) and to the kernel (`watch`, called once at the start, and
// `receive`); `stop` takes all of them off when the view goes.
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

// Puts the widget into the page; its keys are its own, not JupyterLab's shortcuts.
function mount(el, root, on) {
  root.dataset.lmSuppressShortcuts = "true";
  on(root, "keydown", (event) => event.stopPropagation());
  el.append(root);
}

