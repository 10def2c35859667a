// The morph in the page. It has all faces, so the slider and the play button need no kernel.

const INTERVAL = 50; // milliseconds between two faces

function render({ model, el }) {
  const { on, watch, stop } = listeners(model);
  // One image for each face: a single image would flicker when its source changes.
  const frames = model
    .get("frames")
    .map((bytes) => element("img", { src: address(bytes), className: "face", alt: "" }));
  const last = frames.length - 1;
  const stack = element("div", {}, ...frames);

  const slider = element("input", { type: "range", min: 0, max: last, step: 1 });
  slider.setAttribute("aria-label", "From the first face to the second");
  const play = element("button", { type: "button" });
  const bounce = element("input", { type: "checkbox", checked: true });
  const controls = element(
    "div",
    { className: "strip" },
    play,
    element("label", {}, bounce, " there and back"),
  );

  let timer = null;
  let direction = 1;
  watch(["value"], () => {
    const place = model.get("value");
    frames.forEach((frame, i) => (frame.hidden = i !== place));
    slider.value = place;
    slider.setAttribute("aria-valuetext", `${Math.round((100 * place) / last)} percent`);
  });
  function move(place) {
    model.set("value", place);
    model.save_changes();
  }
  function setPlaying(playing) {
    clearInterval(timer);
    timer = playing ? setInterval(step, INTERVAL) : null;
    play.textContent = playing ? "Pause" : "Play";
    play.setAttribute("aria-pressed", playing);
  }
  function step() {
    const place = model.get("value");
    if (place === last) direction = bounce.checked ? -1 : 1;
    if (place === 0) direction = 1;
    move(place === last && direction === 1 ? 0 : place + direction);
  }
  on(play, "click", () => setPlaying(timer === null));
  on(slider, "input", () => {
    setPlaying(false);
    move(+slider.value);
  });

  const root = element("div", { className: "faces morph" }, stack, slider, controls);
  slider.style.width = "192px";
  mount(el, root, on);
  setPlaying(false);
  return () => {
    clearInterval(timer);
    stop();
    root.remove();
  };
}

export default { render };
