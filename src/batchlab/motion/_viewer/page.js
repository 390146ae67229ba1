// What one can ask of the page, and its beginning.
const select = marker => {
  state.selected = marker;
  for (const row of document.querySelectorAll("#markers button")) {
    row.setAttribute("aria-pressed", String(marker !== null && +row.dataset.marker === marker.index));
  }
  plotMarker();
  draw();
};

// "", "all" or the number of a body.
const follow = which => {
  byId("follow").value = which;
  state.follow = which === "" ? null : which === "all" ? bodies : [bodies[+which]];
  const here = state.follow && middleOf(state.follow, state.frame);
  if (here) {
    camera.anchor = here;
    camera.target = [0, 0, 0];
    const reach = state.follow.map(body => {
      const at = pose(body, state.frame);
      return body.size / 2 + (at ? size(less(at.origin, here)) : 0);
    });
    fitSize(Math.max(...reach), 0.6);
  } else {
    camera.anchor = [0, 0, 0];
    goHome();
  }
  draw();
};
const flip = name => {
  state.show[name] = !state.show[name];
  byId("show-" + name).checked = state.show[name];
  draw();
};
const listen = () => {
  byId("follow").addEventListener("change", event => follow(event.target.value));
  byId("home").addEventListener("click", () => follow(""));
  byId("front").addEventListener("click", () => lookFrom(-90, 0));
  byId("side").addEventListener("click", () => lookFrom(0, 0));
  byId("top").addEventListener("click", () => lookFrom(-90, 90));
  byId("scale").addEventListener("input", event => {
    state.vectorScale = VECTOR_SCALES[+event.target.value];
    tellScale();
    draw();
  });
  byId("trail").addEventListener("change", event => { state.trail_s = +event.target.value; draw(); });
  byId("colour").addEventListener("change", event => { state.colour = event.target.value; draw(); });
  byId("limit").addEventListener("change", event => {
    if (+event.target.value > 0) state.top = +event.target.value;
    event.target.value = state.top;
    draw();
  });
  for (const name of Object.keys(state.show)) {
    byId("show-" + name).addEventListener("change", event => { state.show[name] = event.target.checked; draw(); });
  }
  byId("component").addEventListener("change", () => { plotMarker(); draw(); });
  byId("close").addEventListener("click", () => select(null));
  addEventListener("hashchange", readAddress);
  new ResizeObserver(draw).observe(byId("main"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readPaint();
    listMarkers();
    draw();
  });
};
const tellScale = () => {
  byId("scale").setAttribute("aria-valuetext", `times ${state.vectorScale}`);
  byId("scale-told").textContent = `×${state.vectorScale}`;
};
Object.assign(KEYS, {
  m: () => flip("raw"),
  f: () => flip("fitted"),
  v: () => flip("vectors"),
  e: () => flip("edges"),
  a: () => flip("axes"),
  o: () => flip("others"),
  l: () => flip("labels"),
  g: () => flip("grid"),
  x: () => { byId("scale").value = (+byId("scale").value + 1) % VECTOR_SCALES.length; byId("scale").dispatchEvent(new Event("input")); },
  t: () => inTurn(byId("trail")),
  c: () => inTurn(byId("colour")),
  b: () => inTurn(byId("follow")),
  h: () => follow(""),
  1: () => lookFrom(-90, 0),
  2: () => lookFrom(0, 0),
  3: () => lookFrom(-90, 90),
  n: event => {
    const order = markers.filter(isDrawn), at = order.indexOf(state.selected), step = event.shiftKey ? -1 : 1;
    if (order.length) select(order[(at + step + order.length) % order.length]);
  },
  Escape: () => select(null),
});

// After the # of the address: a frame or a time, and a marker.
const readAddress = () => {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("marker")) select(markerNamed(asked.get("marker")));
  if (asked.has("frame") && Number.isFinite(+asked.get("frame"))) goTo(+asked.get("frame") / data.every);
  else if (asked.has("t") && Number.isFinite(+asked.get("t"))) goTo(nearestFrame(+asked.get("t")));
};
const begin = () => {
  beginTime();
  byId("limit").value = state.top;
  byId("scale").value = VECTOR_SCALES.indexOf(state.vectorScale);
  byId("up").value = camera.up;
  byId("colour").value = state.colour;
  byId("facts").textContent = [
    data.recording === data.title ? "" : data.recording, `${FRAMES.toLocaleString("en")} frames`,
    data.every > 1 ? `one of ${data.every} frames of the recording` : "", `${written(+(times[FRAMES - 1] - times[0]).toPrecision(4))} s`,
    `${markers.length} markers`, `${bodies.length} ${bodies.length === 1 ? "body" : "bodies"}`,
  ].filter(Boolean).join(" · ");
  const options = bodies.map(body => [body.index, body.name]);
  if (bodies.length > 1) options.unshift(["all", "all bodies"]);
  for (const [value, text] of options) {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = text;
    byId("follow").append(option);
  }
  const told = [...data.notes, ...bodies.flatMap(body => [
    ...(body.status === "converged" ? [] : [`${body.name}: ${body.status}`]), ...body.warnings.map(text => `${body.name}: ${text}`),
  ])];
  tellNotes(told);
  for (const element of document.querySelectorAll("[data-fits]")) element.hidden = !bodies.length;
  byId("others-row").hidden = !bodies.length || markers.every(marker => marker.body !== null);
  tellScale();
  listMarkers();
  listenTime();
  listenView();
  listen();
  point({ at: markerAt, hover: marker => { if (marker !== state.hover) { state.hover = marker; draw(); } }, press: select });
  pointAtCharts([overview, detail]);
  addEventListener("keydown", type);
  sizeCamera();
  goHome();
  lookAgain();
  readAddress();
  drawNow();
};
begin();

// For scripts beside the page, and for its tests: what is shown, and where.
window.viewer = Object.freeze({
  names: markers.map(marker => marker.name),
  frames: FRAMES,
  get frame() { return state.frame; },
  get playing() { return state.playing; },
  get selected() { return state.selected && state.selected.name; },
  goTo(frame) { goTo(frame); drawNow(); },
  place(name, kind = "measured", frame = state.frame) {
    return { measured, fitted, residual }[kind](markerNamed(name), frame);
  },
  project(name, kind = "measured") {
    const place = this.place(name, kind);
    return place && project(place);
  },
  camera: () => ({ ...view, width: camera.width, height: camera.height, perspective: camera.perspective, distance: camera.distance }),
  colour: name => colourOf(markerNamed(name), state.frame),
  picture,
});
document.documentElement.dataset.ready = "yes";
