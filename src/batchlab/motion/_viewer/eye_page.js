// Which plots there are of an eye, what one can ask of the page, and its beginning.
const overview = { canvas: byId("overview"), title: "azimuth and elevation, °", lines: [], strips: [], seen: null, floating: true, top: Infinity };
const detail = { canvas: byId("detail"), title: "", lines: [], strips: [], seen: null, top: Infinity };
const overTime = of => Float32Array.from({ length: FRAMES }, (_, k) => of(k));
const label = (eye, name) => eyes.length > 1 ? `${eye.name} ${name}` : name;
overview.lines = eyes.flatMap((eye, i) => ["azimuth", "elevation"].map((name, j) => ({
  name: label(eye, name), colour: () => tinted(data.colours[(2 * i + j) % data.colours.length]),
  values: overTime(k => eye.frames[3 * k + j] * 180 / Math.PI),
})));
overview.strips = eyes.map(eye => ({ covered: eye.covered, colour: () => eye.colour }));
const QUANTITIES = {
  radius: { title: "pupil radius, mm", floating: true, of: eye => k => 1000 * eye.frames[3 * k + 2] },
  error: { title: "standard error of gaze, °", of: eye => k => Math.hypot(eye.errors[3 * k], eye.errors[3 * k + 1]) * 180 / Math.PI },
  residual: { title: "rms residual of points, px", of: () => k => {
    const off = points.map(point => pointOff(point, k)).filter(Boolean);
    return off.length ? Math.sqrt(off.reduce((sum, [x, y]) => sum + x * x + y * y, 0) / off.length) : NaN;
  } },
  speed: { title: "speed of gaze, °/s", of: eye => k => {
    const [a, b] = [k - 1, k].map(j => j >= 0 && gazeOf(eye, j));
    return a && b ? Math.acos(Math.min(1, dot(a.gaze, b.gaze))) * 180 / Math.PI / (times[k] - times[k - 1]) : NaN;
  } },
};
const plotDetail = () => {
  const point = state.selected, kind = QUANTITIES[state.quantity];
  detail.title = point ? "residual, px" : kind.title;
  detail.floating = !point && Boolean(kind.floating);
  detail.seen = point && Uint8Array.from({ length: FRAMES }, (_, k) => pointSeen(point, k) ? 1 : 0);
  detail.lines = point
    ? [{ name: "", colour: () => paint.ink, values: overTime(k => { const off = pointOff(point, k); return off ? Math.hypot(...off) : NaN; }) }]
    : eyes.map(eye => ({ name: label(eye, ""), colour: () => eye.colour, values: overTime(kind.of(eye)) }));
  detail.top = detail.floating ? Infinity : topOf(detail.lines);
  byId("detail-name").textContent = point ? point.name : "";
  byId("detail-facts").textContent = point
    ? `rms ${written(+point.rms.toPrecision(3))} px, not seen in ${written(+(100 * point.missing).toPrecision(3))} %` : "";
  byId("quantity").hidden = Boolean(point);
  byId("close").hidden = !point;
};
const drawCharts = () => {
  drawChart(overview);
  drawChart(detail);
};

const select = point => {
  state.selected = point;
  for (const row of document.querySelectorAll("#markers button")) {
    row.setAttribute("aria-pressed", String(point !== null && +row.dataset.marker === point.index));
  }
  plotDetail();
  draw();
};
const listPoints = () => {
  byId("markers").replaceChildren(...points.map(point => {
    const row = document.createElement("button"), [name, rms, missing] = [0, 1, 2].map(() => document.createElement("span"));
    row.type = "button";
    row.dataset.marker = point.index;
    row.setAttribute("aria-pressed", "false");
    name.textContent = point.name;
    missing.textContent = written(+(100 * point.missing).toPrecision(2));
    rms.textContent = Number.isNaN(point.rms) ? "" : written(+point.rms.toPrecision(2));
    row.append(name, rms, missing);
    row.addEventListener("click", () => select(state.selected === point ? null : point));
    return row;
  }));
};
const home = () => {
  goHome();
  draw();
};
const flip = name => {
  state.show[name] = !state.show[name];
  byId("show-" + name).checked = state.show[name];
  draw();
};
// As the camera sees the eye; of gazes in the world, from before the eyes.
const lookAs = {
  front: () => lookFrom(eyes[0].ahead < 0 ? 180 : 0, 0), side: () => lookFrom(90, 0), top: () => lookFrom(180, 90),
};
const tellScale = () => {
  byId("scale").setAttribute("aria-valuetext", `times ${state.vectorScale}`);
  byId("scale-told").textContent = `×${state.vectorScale}`;
};
Object.assign(KEYS, {
  m: () => flip("raw"), f: () => flip("fitted"), v: () => flip("vectors"), l: () => flip("labels"), g: () => flip("grid"),
  e: () => flip("ball"), r: () => flip("ray"), k: () => flip("camera"),
  t: () => inTurn(byId("trail")),
  i: () => byId("whole").click(),
  h: home, 1: lookAs.front, 2: lookAs.side, 3: lookAs.top,
  n: event => {
    const at = points.indexOf(state.selected), step = event.shiftKey ? -1 : 1;
    if (points.length) select(points[(at + step + points.length) % points.length]);
  },
  Escape: () => select(null),
});

const readAddress = () => {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("marker")) select(pointNamed(asked.get("marker")));
  if (asked.has("frame") && Number.isFinite(+asked.get("frame"))) goTo(+asked.get("frame") / data.every);
  else if (asked.has("t") && Number.isFinite(+asked.get("t"))) goTo(nearestFrame(+asked.get("t")));
};
const listen = () => {
  byId("home").addEventListener("click", home);
  for (const [name, act] of Object.entries(lookAs)) byId(name).addEventListener("click", act);
  for (const name of Object.keys(state.show)) {
    byId("show-" + name).addEventListener("change", event => { state.show[name] = event.target.checked; draw(); });
  }
  byId("scale").addEventListener("input", event => {
    state.vectorScale = VECTOR_SCALES[+event.target.value];
    tellScale();
    draw();
  });
  byId("trail").addEventListener("change", event => { state.trail_s = +event.target.value; draw(); });
  byId("whole").addEventListener("change", event => { state.whole = event.target.checked; draw(); });
  byId("quantity").addEventListener("change", event => { state.quantity = event.target.value; plotDetail(); draw(); });
  byId("close").addEventListener("click", () => select(null));
  const hover = point => { if (point !== state.hover) { state.hover = point; draw(); } };
  sheet.addEventListener("pointermove", event => hover(pointAt(event.offsetX, event.offsetY)));
  sheet.addEventListener("pointerleave", () => hover(null));
  sheet.addEventListener("click", event => select(pointAt(event.offsetX, event.offsetY)));
  addEventListener("hashchange", readAddress);
  new ResizeObserver(draw).observe(byId("main"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readPaint(); draw(); });
};

const begin = () => {
  beginTime();
  byId("up").value = camera.up;
  byId("scale").value = VECTOR_SCALES.indexOf(state.vectorScale);
  byId("trail").value = String(state.trail_s);
  byId("facts").textContent = [
    data.recording === data.title ? "" : data.recording, `${FRAMES.toLocaleString("en")} frames`,
    data.every > 1 ? `one of ${data.every} frames of the recording` : "", `${written(+(times[FRAMES - 1] - times[0]).toPrecision(4))} s`,
    points.length ? `${points.length} points` : `gaze by ${eyes[0].vendor}; eyeballs are drawn ${inMm(2 * eyes[0].ball_m)} wide`,
  ].filter(Boolean).join(" · ");
  tellNotes([...new Set([...data.notes, ...eyes.flatMap(eye => [...(eye.status === "converged" ? [] : [eye.status]), ...eye.warnings])])]);
  for (const element of document.querySelectorAll("[data-fits]")) element.hidden = !points.length;
  byId("main").classList.toggle("two", points.length > 0);
  for (const [name, { title }] of Object.entries(QUANTITIES)) {
    if (!points.length && name !== "speed") continue;
    const option = document.createElement("option");
    option.value = name;
    option.textContent = title.split(",")[0];
    byId("quantity").append(option);
  }
  tellScale();
  listPoints();
  plotDetail();
  listenTime();
  listenView();
  listen();
  point({ at: () => null, hover: () => {}, press: () => {} });
  pointAtCharts([overview, detail]);
  addEventListener("keydown", type);
  sizeCamera();
  home();
  lookAgain();
  readAddress();
  drawNow();
};
begin();

// For scripts beside the page, and for its tests: what is shown, and where.
window.viewer = Object.freeze({
  names: points.map(each => each.name),
  eyes: eyes.map(each => each.name),
  frames: FRAMES,
  get frame() { return state.frame; },
  get playing() { return state.playing; },
  get selected() { return state.selected && state.selected.name; },
  goTo(frame) { goTo(frame); drawNow(); },
  gaze: (eye = 0, frame = state.frame) => gazeOf(eyes[eye], frame),
  pixel: (name, kind = "measured", frame = state.frame) =>
    ({ measured: pointSeen, fitted: pointFitted, residual: pointOff })[kind](pointNamed(name), frame),
  onImage(name, kind = "measured") {
    const px = this.pixel(name, kind);
    return px && imageView().at(px);
  },
  project: place => project(place),
  pupil: (eye = 0) => pupilMiddle(eyes[eye], gazeOf(eyes[eye], state.frame)),
  picture,
});
document.documentElement.dataset.ready = "yes";
