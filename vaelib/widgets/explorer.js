// The explorer in the page: a point is a face; hovering shows it, clicking decodes a place.

const SIZE = 440; // of the map, in CSS pixels
const MARGIN = 12;
const REACH = 12; // largest distance between the pointer and the point it shows, in CSS pixels
const COLORS = { yes: "#d55e00", no: "#0072b2" }; // of Okabe and Ito, distinct for colour-blind people

function render({ model, el }) {
  const { on, watch, stop } = listeners(model);

  // ---------------------------------------------------------------- the choices above the map
  function select(name, label) {
    const node = element("select");
    const choices = model.get(name === "color" ? "attributes" : "directions");
    node.append(...choices.map(option));
    on(node, "change", () => {
      model.set(name, node.value);
      model.save_changes();
    });
    watch([name], () => (node.value = model.get(name)));
    return element("label", {}, `${label} `, node);
  }
  const choices = element(
    "div",
    { className: "strip" },
    select("x_axis", "across"),
    select("y_axis", "up"),
    select("color", "colour"),
  );
  const key = element("div", { className: "strip" });
  watch(["color"], () => {
    const name = spaced(model.get("color"));
    const has = keyEntry(name, COLORS.yes, "");
    key.replaceChildren(has, keyEntry(`not ${name}`, COLORS.no, "hollow"));
  });

  // ---------------------------------------------------------------- the map
  const canvas = element("canvas", { tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute(
    "aria-label",
    "Map of encoded faces: arrow keys move the cross and decode the place under it",
  );
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.height = SIZE * ratio;
  canvas.style.width = `${SIZE}px`; // or less in a narrow window
  let points = new Float32Array();
  let bounds = [0, 1, 0, 1];
  const toPage = ([x, y]) => {
    const [left, right, low, high] = bounds;
    const inner = SIZE - 2 * MARGIN;
    return [
      MARGIN + (inner * (x - left)) / (right - left),
      SIZE - MARGIN - (inner * (y - low)) / (high - low),
    ];
  };
  const toLatent = ([x, y]) => {
    const [left, right, low, high] = bounds;
    const inner = SIZE - 2 * MARGIN;
    return [
      left + ((x - MARGIN) / inner) * (right - left),
      low + ((SIZE - MARGIN - y) / inner) * (high - low),
    ];
  };
  let hovered = -1;
  function draw() {
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, SIZE, SIZE);
    const labels = new Uint8Array(model.get("labels").buffer, model.get("labels").byteOffset);
    for (const wanted of [0, 1]) {
      context.globalAlpha = 0.65;
      context.fillStyle = context.strokeStyle = wanted ? COLORS.yes : COLORS.no;
      for (let i = 0; i < points.length / 2; i++) {
        if (labels[i] !== wanted) continue;
        const [x, y] = toPage([points[2 * i], points[2 * i + 1]]);
        context.beginPath();
        context.arc(x, y, 3, 0, 7);
        if (wanted) context.fill();
        else context.stroke();
      }
    }
    context.globalAlpha = 1;
    context.strokeStyle = getComputedStyle(root).color;
    context.lineWidth = 2;
    if (hovered >= 0) {
      context.beginPath();
      context.arc(...toPage([points[2 * hovered], points[2 * hovered + 1]]), 6, 0, 7);
      context.stroke();
    }
    const [x, y] = toPage(model.get("value"));
    context.beginPath();
    for (const [dx, dy] of [[9, 0], [0, 9]]) {
      context.moveTo(x - dx, y - dy);
      context.lineTo(x + dx, y + dy);
    }
    context.stroke();
    context.lineWidth = 1;
  }

  // ---------------------------------------------------------------- the faces beside it
  const near = element("img", { className: "face", alt: "the face under the pointer" });
  near.src = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="; // an empty image
  const nearCaption = element("figcaption", { textContent: "point at a face" });
  const decoded = element("img", { className: "face", alt: "the decoded place" });
  decoded.dataset.face = "decoded";
  const side = element(
    "div",
    { className: "side" },
    element("figure", {}, nearCaption, near),
    element("figure", {}, element("figcaption", { textContent: "decoded under the cross" }), decoded),
  );
  const sheet = element("img", { src: address(model.get("sheet"), "jpeg") });
  const columns = model.get("sheet_columns");
  const cut = element("canvas");
  function hover(i) {
    if (i === hovered) return;
    hovered = i;
    if (i >= 0) {
      const size = sheet.naturalWidth / columns;
      cut.width = cut.height = size;
      const [left, top] = [(i % columns) * size, Math.floor(i / columns) * size];
      cut.getContext("2d").drawImage(sheet, left, top, size, size, 0, 0, size, size);
      near.src = cut.toDataURL();
      nearCaption.textContent = model.get("point_names")[i];
    }
    draw();
  }
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = SIZE / (box.width - 2); // without the border
    return [scale * (event.clientX - box.left - 1), scale * (event.clientY - box.top - 1)];
  };
  function nearest([x, y]) {
    let [best, distance] = [-1, REACH * REACH];
    for (let i = 0; i < points.length / 2; i++) {
      const [px, py] = toPage([points[2 * i], points[2 * i + 1]]);
      const square = (px - x) ** 2 + (py - y) ** 2;
      if (square < distance) [best, distance] = [i, square];
    }
    return best;
  }
  function go(value) {
    const [left, right, low, high] = bounds;
    model.set("value", [clamp(value[0], left, right), clamp(value[1], low, high)]);
    model.save_changes();
  }
  on(canvas, "pointermove", (event) => {
    if (event.buttons & 1) go(toLatent(place(event)));
    hover(nearest(place(event)));
  });
  on(canvas, "pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    go(toLatent(place(event)));
  });
  on(canvas, "keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const [left, right, low, high] = bounds;
    const [x, y] = model.get("value");
    const value = [x + (step[0] * (right - left)) / 40, y + (step[1] * (high - low)) / 40];
    go(value);
    hover(nearest(toPage(value)));
  });

  const root = element(
    "div",
    { className: "faces explorer" },
    choices,
    key,
    element("div", { className: "strip" }, canvas, side),
  );
  mount(el, root, on);
  watch(["points", "bounds"], () => {
    points = floats(model.get("points")); // x, y, x, y, ...
    bounds = model.get("bounds");
    hovered = -1;
    draw();
  });
  watch(["labels", "value"], draw);
  watch(["face"], () => (decoded.src = address(model.get("face"))));
  requestAnimationFrame(draw); // again, once the page's theme gives its colours
  return () => {
    stop();
    root.remove();
  };
}

export default { render };
