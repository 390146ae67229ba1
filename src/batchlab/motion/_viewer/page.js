// Controls, pointers, keys and time.
let waiting = false;
const draw = () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawNow();
  });
};
const drawNow = () => {
  drawScene();
  drawCharts();
  const scrub = byId("scrub");
  scrub.value = state.frame;
  scrub.setAttribute("aria-valuetext", `${times[state.frame].toFixed(3)} seconds`);
  if (document.activeElement !== byId("frame")) byId("frame").value = shownFrame(state.frame);
};
const goTo = frame => {
  state.frame = Math.max(0, Math.min(FRAMES - 1, Math.round(frame)));
  state.clock = times[state.frame];
  const [t0, t1] = state.range, t = times[state.frame];
  if (t < t0 || t > t1) {  // zoomed in: the range goes along
    const start = Math.max(times[0], Math.min(times[FRAMES - 1] - (t1 - t0), t - (t1 - t0) * (t < t0 ? 0.9 : 0.1)));
    state.range = [start, start + t1 - t0];
  }
  draw();
};

const play = on => {
  if (on && state.frame === FRAMES - 1) goTo(0);
  state.playing = on;
  byId("play").textContent = on ? "❚❚" : "▶";
  byId("play").setAttribute("aria-label", on ? "Pause" : "Play");
  if (!on) return;
  let before = null;
  const tick = now => {
    if (!state.playing) return;
    if (before !== null) {
      const t = state.clock + (now - before) / 1000 * state.speed, end = times[FRAMES - 1];
      if (t >= end && !state.loop) { goTo(FRAMES - 1); play(false); return; }
      const clock = t >= end ? times[0] : t;
      goTo(frameAt(clock));
      state.clock = clock;  // between two frames
    }
    before = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
};

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
const turnUp = up => {
  camera.up = up;
  byId("up").value = up;
  draw();
};
const lookFrom = (azimuth, elevation) => {
  camera.azimuth = azimuth * Math.PI / 180;
  camera.elevation = elevation * Math.PI / 180;
  draw();
};
const flip = name => {
  state.show[name] = !state.show[name];
  byId("show-" + name).checked = state.show[name];
  draw();
};
const choose = (element, index) => {
  element.selectedIndex = index;
  element.dispatchEvent(new Event("change"));
};
const inTurn = element => choose(element, (element.selectedIndex + 1) % element.options.length);
const faster = step => {
  const element = byId("speed");
  choose(element, Math.max(0, Math.min(element.options.length - 1, element.selectedIndex + step)));
};
const picture = () => {
  drawScene();
  return canvas.toDataURL("image/png");
};
const savePicture = () => {
  drawScene();
  canvas.toBlob(blob => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${data.title.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "motion"}_frame_${shownFrame(state.frame)}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }, "image/png");
};

// Rows of markers, body by body.
const listMarkers = () => {
  const list = byId("markers");
  list.replaceChildren();
  const groups = bodies.map(body => ({ name: body.name, colour: body.colour, members: body.markers.map(index => markers[index]) }));
  const others = markers.filter(marker => marker.body === null);
  if (others.length) groups.push({ name: bodies.length ? "no body" : "markers", colour: null, members: others });
  for (const { name, colour, members } of groups) {
    const box = document.createElement("details"), title = document.createElement("summary");
    box.open = colour !== null || !bodies.length;
    if (colour) {
      const swatch = document.createElement("i");
      swatch.style.background = colour;
      title.append(swatch);
    }
    title.append(`${name} (${members.length})`);
    box.append(title);
    for (const marker of members) {
      const row = document.createElement("button");
      const [label, rms, missing] = [0, 1, 2].map(() => document.createElement("span"));
      row.type = "button";
      row.dataset.marker = marker.index;
      row.setAttribute("aria-pressed", String(state.selected === marker));
      row.title = marker.name;
      label.textContent = marker.label;
      rms.textContent = Number.isNaN(marker.rms) ? "" : written(+marker.rms.toPrecision(2));
      missing.textContent = written(+(100 * marker.missing).toPrecision(2));
      row.append(label, rms, missing);
      row.addEventListener("click", () => select(state.selected === marker ? null : marker));
      box.append(row);
    }
    list.append(box);
  }
};

const listen = () => {
  byId("play").addEventListener("click", () => play(!state.playing));
  byId("back").addEventListener("click", () => { play(false); goTo(state.frame - 1); });
  byId("on").addEventListener("click", () => { play(false); goTo(state.frame + 1); });
  byId("scrub").addEventListener("input", event => goTo(+event.target.value));
  byId("frame").addEventListener("change", event => goTo(+event.target.value / data.every));
  byId("speed").addEventListener("change", event => { state.speed = +event.target.value; });
  byId("loop").addEventListener("change", event => { state.loop = event.target.checked; });
  byId("up").addEventListener("change", event => turnUp(event.target.value));
  byId("follow").addEventListener("change", event => follow(event.target.value));
  byId("parallel").addEventListener("change", event => { camera.perspective = !event.target.checked; draw(); });
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
  byId("save").addEventListener("click", savePicture);
  byId("component").addEventListener("change", () => { plotMarker(); draw(); });
  byId("close").addEventListener("click", () => select(null));
  byId("help").addEventListener("click", () => byId("keys").showModal());
  byId("keys-close").addEventListener("click", () => byId("keys").close());
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

// One pointer turns (with shift or another button: shifts), two move and zoom, a press without a move selects.
const point = () => {
  const down = new Map();
  let moved = 0;
  const spread = () => {
    const [a, b] = [...down.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    if (!down.size) moved = 0;
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  });
  canvas.addEventListener("pointermove", event => {
    const before = down.get(event.pointerId), now = { x: event.offsetX, y: event.offsetY };
    if (!before) {
      const hover = markerAt(now.x, now.y);
      canvas.classList.toggle("over", hover !== null);
      if (hover !== state.hover) { state.hover = hover; draw(); }
      return;
    }
    const dx = now.x - before.x, dy = now.y - before.y, was = down.size === 2 ? spread() : null;
    moved += Math.abs(dx) + Math.abs(dy);
    down.set(event.pointerId, now);
    if (was) {
      const is = spread();
      shift(is.x - was.x, is.y - was.y);
      if (is.apart > 0) approach(was.apart / is.apart);
    } else if (event.shiftKey || event.buttons & 6) shift(dx, dy);
    else if (moved > 3) goRound(dx, dy);
    draw();
  });
  const up = event => {
    const before = down.get(event.pointerId);
    down.delete(event.pointerId);
    if (before && !down.size && moved <= 3 && event.type === "pointerup" && event.button === 0) {
      select(markerAt(event.offsetX, event.offsetY));
    }
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => { if (state.hover) { state.hover = null; draw(); } });
  canvas.addEventListener("contextmenu", event => event.preventDefault());
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    approach(Math.exp(Math.max(-1, Math.min(1, event.deltaY * 0.0015))));
    draw();
  }, { passive: false });
  for (const chart of [overview, detail]) {
    const sheet = chart.canvas;
    sheet.addEventListener("pointerdown", event => {
      sheet.setPointerCapture(event.pointerId);
      goTo(nearestFrame(chart.time(event.offsetX)));
    });
    sheet.addEventListener("pointermove", event => {
      if (event.buttons & 1) goTo(nearestFrame(Math.max(state.range[0], Math.min(state.range[1], chart.time(event.offsetX)))));
    });
    sheet.addEventListener("wheel", event => {
      event.preventDefault();
      zoomTime(Math.exp(Math.max(-1, Math.min(1, event.deltaY * 0.002))), chart.time(event.offsetX));
    }, { passive: false });
    sheet.addEventListener("dblclick", () => { state.range = [times[0], times[FRAMES - 1]]; draw(); });
  }
};
const zoomTime = (factor, t) => {
  const [t0, t1] = state.range, whole = times[FRAMES - 1] - times[0];
  const wide = Math.min(whole, Math.max(Math.min(whole, 5 * whole / FRAMES), (t1 - t0) * factor));
  const start = Math.max(times[0], Math.min(times[FRAMES - 1] - wide, t - (t - t0) / (t1 - t0 || 1) * wide));
  state.range = [start, start + wide];
  draw();
};

const KEYS = {
  " ": () => play(!state.playing),
  ArrowLeft: event => { play(false); goTo(state.frame - (event.shiftKey ? 10 : 1)); },
  ArrowRight: event => { play(false); goTo(state.frame + (event.shiftKey ? 10 : 1)); },
  Home: () => goTo(0),
  End: () => goTo(FRAMES - 1),
  "[": () => faster(-1),
  "]": () => faster(1),
  "+": () => { approach(0.8); draw(); },
  "=": () => { approach(0.8); draw(); },
  "-": () => { approach(1.25); draw(); },
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
  u: () => inTurn(byId("up")),
  b: () => inTurn(byId("follow")),
  p: () => byId("parallel").click(),
  h: () => follow(""),
  1: () => lookFrom(-90, 0),
  2: () => lookFrom(0, 0),
  3: () => lookFrom(-90, 90),
  n: event => {
    const order = markers.filter(isDrawn), at = order.indexOf(state.selected), step = event.shiftKey ? -1 : 1;
    if (order.length) select(order[(at + step + order.length) % order.length]);
  },
  s: () => savePicture(),
  Escape: () => select(null),
  "?": () => byId("keys").showModal(),
};
const type = event => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  const tag = event.target.tagName, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const own = tag === "SELECT" || (tag === "INPUT" && event.target.type !== "checkbox");
  if (own && key !== "Escape") return;
  if (key === " " && (tag === "BUTTON" || tag === "SUMMARY" || tag === "INPUT")) return;
  const act = Object.hasOwn(KEYS, key) && KEYS[key];
  if (!act) return;
  event.preventDefault();
  act(event);
};

// After the # of the address: a frame or a time, and a marker.
const readAddress = () => {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("marker")) select(markerNamed(asked.get("marker")));
  if (asked.has("frame") && Number.isFinite(+asked.get("frame"))) goTo(+asked.get("frame") / data.every);
  else if (asked.has("t") && Number.isFinite(+asked.get("t"))) goTo(nearestFrame(+asked.get("t")));
};

const begin = () => {
  byId("scrub").max = FRAMES - 1;
  byId("frame").max = shownFrame(FRAMES - 1);
  byId("frame").step = data.every;
  byId("of").textContent = `of ${shownFrame(FRAMES - 1)}`;
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
  byId("notes").hidden = !told.length;
  for (const text of told) {
    const item = document.createElement("li");
    item.textContent = text;
    byId("notes-list").append(item);
  }
  for (const element of document.querySelectorAll("[data-fits]")) element.hidden = !bodies.length;
  byId("others-row").hidden = !bodies.length || markers.every(marker => marker.body !== null);
  tellScale();
  listMarkers();
  listen();
  point();
  addEventListener("keydown", type);
  camera.width = canvas.clientWidth;
  camera.height = canvas.clientHeight;
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
