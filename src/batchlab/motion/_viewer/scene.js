// The picture: ground, trails, bodies, markers, and the keys that say how to read them.
const canvas = byId("scene"), pen = canvas.getContext("2d");
const LETTERS = ["x", "y", "z"];
const FADES = 6, TRAIL_POINTS = 1500;

const line = (a, b) => {
  const ends = projectLine(a, b);
  if (!ends) return;
  pen.moveTo(ends[0].x, ends[0].y);
  pen.lineTo(ends[1].x, ends[1].y);
};
const stroke = (colour, width, dash = []) => {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.stroke();
  pen.setLineDash([]);
};
const disc = (at, radius) => {
  pen.beginPath();
  pen.arc(at.x, at.y, radius, 0, 2 * Math.PI);
};
// Letters with an edge of paper, to be read over lines.
const words = (text, x, y, colour = paint.ink, align = "left") => {
  pen.textAlign = align;
  pen.lineWidth = 3;
  pen.strokeStyle = paint.scene;
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
};

// At height zero where that is near what is seen; below it otherwise.
const ground = () => {
  const { u, first, second } = view;
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map(k => [0, 1, 2].map(i => (k >> i) & 1 ? bounds.high[i] : bounds.low[i]));
  const along = axis => corners.map(corner => dot(corner, axis));
  const cell = roundUp(extent / 8), lowest = Math.min(...along(u));
  const height = lowest > -0.05 * extent && lowest < 0.7 * extent ? 0 : Math.floor(lowest / cell) * cell;
  const span = axis => {
    const values = along(axis);
    return [Math.floor(Math.min(...values) / cell - 0.5), Math.ceil(Math.max(...values) / cell + 0.5)];
  };
  return { u, first, second, cell, height, across: span(first), deep: span(second) };
};
const drawGround = () => {
  const { u, first, second, cell, height, across, deep } = ground();
  const at = (i, j) => add(times3(u, height), add(times3(first, i * cell), times3(second, j * cell)));
  pen.beginPath();
  for (let i = across[0]; i <= across[1]; i++) line(at(i, deep[0]), at(i, deep[1]));
  for (let j = deep[0]; j <= deep[1]; j++) line(at(across[0], j), at(across[1], j));
  stroke(paint.line, 1);
  // Where bodies stand over it.
  for (const body of bodies) {
    const here = pose(body, state.frame);
    if (!here) continue;
    const foot = add(here.origin, times3(u, height - dot(here.origin, u)));
    pen.beginPath();
    line(here.origin, foot);
    stroke(paint.line, 1, [2, 3]);
    const spot = project(foot);
    if (!spot) continue;
    disc(spot, 3);
    pen.fillStyle = paint.soft;
    pen.fill();
  }
};

const drawTrails = () => {
  if (!(state.trail_s > 0)) return;
  const first = frameAt(Math.max(times[0], times[state.frame] - state.trail_s));
  const stride = Math.max(1, Math.ceil((state.frame - first) / TRAIL_POINTS));
  for (const marker of markers) {
    if (marker.body === null && bodies.length && state.selected !== marker) continue;
    const place = state.show.raw ? measured : fitted, points = [];
    // From multiples of the stride, so that the trail does not flicker while it plays.
    for (let k = Math.ceil(first / stride) * stride; k < state.frame; k += stride) points.push(place(marker, k));
    points.push(place(marker, state.frame));
    const most = Math.ceil((points.length - 1) / FADES);
    for (let part = 0; part < FADES; part++) {
      pen.beginPath();
      for (let i = part * most; i < Math.min((part + 1) * most, points.length - 1); i++) {
        if (points[i] && points[i + 1]) line(points[i], points[i + 1]);
      }
      pen.globalAlpha = 0.12 + 0.6 * (part + 1) / FADES;
      stroke(marker.body === null ? paint.other : bodies[marker.body].colour, marker === state.selected ? 2.5 : 1.2);
    }
  }
  pen.globalAlpha = 1;
};

const radiusOf = (marker, at) => {
  const own = marker.body === null ? extent * 0.006 : bodies[marker.body].size * 0.03;
  return Math.max(marker.body === null ? 2 : 3, Math.min(9, own * at.scale));
};
const arrow = (from, to, colour) => {
  const ends = projectLine(from, to);
  if (!ends) return;
  const [a, b] = ends, long = Math.hypot(b.x - a.x, b.y - a.y);
  if (long < 4) return;  // would only hide the marker
  const head = Math.min(7, long * 0.6), ux = (b.x - a.x) / long, uy = (b.y - a.y) / long;
  pen.beginPath();
  pen.moveTo(a.x, a.y);
  pen.lineTo(b.x, b.y);
  pen.moveTo(b.x - head * (ux + uy * 0.5), b.y - head * (uy - ux * 0.5));
  pen.lineTo(b.x, b.y);
  pen.lineTo(b.x - head * (ux - uy * 0.5), b.y - head * (uy + ux * 0.5));
  stroke(paint.scene, long < 20 ? 3 : 4);
  stroke(colour, long < 20 ? 1.4 : 1.8);
};

// What stands on the ground, as pieces with a distance from the eye: the farthest is drawn first.
const pieces = () => {
  const k = state.frame, found = [], { show } = state;
  const push = (depth, draw) => found.push({ depth, draw });
  if (show.edges) {
    for (const [i, j] of data.edges) {
      const [a, b] = [markers[i], markers[j]].map(marker => show.fitted ? fitted(marker, k) || measured(marker, k) : measured(marker, k));
      const ends = a && b && projectLine(a, b);
      if (!ends) continue;
      const body = markers[i].body === null ? null : bodies[markers[i].body];
      push((ends[0].depth + ends[1].depth) / 2, () => {
        pen.beginPath();
        pen.moveTo(ends[0].x, ends[0].y);
        pen.lineTo(ends[1].x, ends[1].y);
        stroke(body ? body.colour : paint.other, 1.6, body && body.covered[k] === 2 ? [5, 4] : []);
      });
    }
  }
  for (const marker of markers) {
    if (!isDrawn(marker)) continue;
    const raw = measured(marker, k), fit = fitted(marker, k), off = residual(marker, k);
    const rawAt = raw && project(raw), fitAt = fit && project(fit);
    if (show.raw && rawAt) push(rawAt.depth, () => drawMeasured(marker, rawAt, k));
    if (!raw && fitAt && (show.raw || show.fitted)) push(fitAt.depth, () => drawHollow(marker, fitAt));
    else if (show.fitted && fitAt) push(fitAt.depth, () => drawFitted(marker, fitAt));
    if (show.vectors && off && fitAt) {
      const tip = add(fit, times3(off, state.vectorScale));
      push(-Infinity, () => arrow(fit, tip, paint.ink));  // never behind its own marker
    }
  }
  if (show.axes) {
    for (const body of bodies) {
      const here = pose(body, k);
      if (!here) continue;
      here.axes.forEach((axis, i) => {
        const tip = add(here.origin, times3(axis, body.size * 0.4)), ends = projectLine(here.origin, tip);
        if (!ends) return;
        push((ends[0].depth + ends[1].depth) / 2, () => {
          pen.beginPath();
          pen.moveTo(ends[0].x, ends[0].y);
          pen.lineTo(ends[1].x, ends[1].y);
          stroke(paint.axes[i], 2.5);
          words(LETTERS[i], ends[1].x + 4, ends[1].y + 4, paint.axes[i]);
        });
      });
    }
  }
  return found.sort((a, b) => b.depth - a.depth);
};
const drawMeasured = (marker, at, k) => {
  const radius = radiusOf(marker, at);
  disc(at, radius);
  pen.fillStyle = colourOf(marker, k);
  pen.fill();
  if (marker.body !== null) stroke(paint.ink, 1);
  if (marker.weights && residual(marker, k) && marker.weights[k] < 128) {
    pen.beginPath();
    for (const sign of [-1, 1]) {
      pen.moveTo(at.x - radius - 3, at.y - sign * (radius + 3));
      pen.lineTo(at.x + radius + 3, at.y + sign * (radius + 3));
    }
    stroke(paint.ink, 1.5);
  }
};
const drawHollow = (marker, at) => {
  disc(at, radiusOf(marker, at));
  pen.fillStyle = paint.scene;
  pen.fill();
  stroke(bodies[marker.body].colour, 2);
};
const drawFitted = (marker, at) => {
  const arm = radiusOf(marker, at) * 1.35;
  pen.beginPath();
  pen.moveTo(at.x - arm, at.y);
  pen.lineTo(at.x + arm, at.y);
  pen.moveTo(at.x, at.y - arm);
  pen.lineTo(at.x, at.y + arm);
  stroke(bodies[marker.body].colour, arm > 6 ? 1.6 : 1.1);
};

// Where a marker is to be found on the picture: as measured, else where its body puts it.
const spotOf = marker => {
  const place = measured(marker, state.frame) || fitted(marker, state.frame);
  return place && project(place);
};
const markerAt = (x, y) => {
  let best = null, least = 16;
  for (const marker of markers) {
    const at = isDrawn(marker) && spotOf(marker);
    const apart = at ? Math.hypot(at.x - x, at.y - y) : Infinity;
    if (apart < least) { least = apart; best = marker; }
  }
  return best;
};
const drawNames = () => {
  const taken = [], first = marker => marker === state.selected || marker === state.hover ? 0 : marker.body === null ? 2 : 1;
  for (const marker of [...markers].sort((a, b) => first(a) - first(b))) {
    const told = state.selected === marker || state.hover === marker;
    if (!told && (!state.show.labels || !isDrawn(marker))) continue;
    const at = spotOf(marker);
    if (!at) continue;
    const radius = radiusOf(marker, at);
    if (told) {
      disc(at, radius + 4);
      stroke(paint.link, 2);
    }
    const off = residual(marker, state.frame), missing = !measured(marker, state.frame);
    const after = !told ? "" : missing ? " · not seen" : off ? ` · ${inMm(size(off))}` : "";
    const text = (told ? marker.name : marker.label) + after, x = at.x + radius + 6, y = at.y - radius - 2;
    const right = x + pen.measureText(text).width;
    if (taken.some(box => x < box.right && right > box.x && Math.abs(y - box.y) < 13)) continue;  // not over another name
    taken.push({ x, y, right });
    words(text, x, y, told ? paint.ink : paint.soft);
  }
};

const drawKeys = () => {
  const { width: w, height: h } = camera, small = w < 560, { cell, height } = ground();
  pen.font = "12px system-ui, sans-serif";
  words(`${times[state.frame].toFixed(3)} s`, 12, 22);
  words(`frame ${shownFrame(state.frame)}`, 12, 38, paint.soft);
  // A bar that is true at the distance of the middle of the picture.
  const perMetre = view.focal / camera.distance;
  const long = roundUp(Math.min(140, w / 4) / perMetre / 2.5), bar = long * perMetre;
  pen.beginPath();
  pen.moveTo(12, h - 20); pen.lineTo(12, h - 14); pen.lineTo(12 + bar, h - 14); pen.lineTo(12 + bar, h - 20);
  stroke(paint.ink, 1.5);
  words(lengthOf(long), 12 + bar / 2, h - 22, paint.ink, "center");
  if (state.show.grid && !small) {
    const up = camera.up.replace("-", "");
    const level = written((camera.up[0] === "-" ? -1 : 1) * +height.toPrecision(6) || 0);
    words(`grid ${lengthOf(cell)} at ${up} = ${level} m`, 24 + bar, h - 14, paint.soft);
  }
  // The laboratory's axes.
  const middle = { x: w - 40, y: 44 };
  LETTERS.forEach((letter, i) => {
    const axis = UPS[letter], x = dot(axis, view.right) * 26, y = -dot(axis, view.upward) * 26;
    pen.beginPath();
    pen.moveTo(middle.x, middle.y);
    pen.lineTo(middle.x + x, middle.y + y);
    stroke(paint.axes[i], 2);
    words(letter, middle.x + x * 1.3, middle.y + y * 1.3 + 4, paint.axes[i], "center");
  });
  if (bodies.length) drawLegend(small);
};
const drawLegend = small => {
  const { width: w, height: h } = camera, wide = small ? 110 : 170, left = w - wide - 20, top = h - 34;
  if (state.colour === "residual") {
    for (let i = 0; i < wide; i++) {
      pen.fillStyle = ramp(i / (wide - 1));
      pen.fillRect(left + i, top, 1.5, 10);
    }
    pen.strokeStyle = paint.soft;
    pen.lineWidth = 1;
    pen.strokeRect(left, top, wide, 10);
    words("residual, mm", left + wide / 2, top - 6, paint.ink, "center");
    words("0", left, top + 24, paint.ink, "center");
    words(written(state.top / 2), left + wide / 2, top + 24, paint.ink, "center");
    words(`\u2265${written(state.top)}`, left + wide, top + 24, paint.ink, "center");
  } else {
    bodies.forEach((body, i) => {
      const y = h - 14 - 18 * (bodies.length - 1 - i);
      pen.fillStyle = body.colour;
      pen.fillRect(left, y - 9, 10, 10);
      words(body.name, left + 16, y);
    });
  }
  if (small) return;
  const y = 22;
  const signs = [
    ["measured", at => { disc(at, 5); pen.fillStyle = paint.soft; pen.fill(); stroke(paint.ink, 1); }],
    ["not seen", at => { disc(at, 5); stroke(paint.ink, 2); }],
    ["fitted", at => {
      pen.beginPath();
      pen.moveTo(at.x - 6, at.y); pen.lineTo(at.x + 6, at.y); pen.moveTo(at.x, at.y - 6); pen.lineTo(at.x, at.y + 6);
      stroke(paint.ink, 1.6);
    }],
    [`residual \u00d7${state.vectorScale}`, at => {
      pen.beginPath();
      pen.moveTo(at.x - 7, at.y); pen.lineTo(at.x + 7, at.y);
      pen.moveTo(at.x + 2, at.y - 4); pen.lineTo(at.x + 7, at.y); pen.lineTo(at.x + 2, at.y + 4);
      stroke(paint.ink, 1.8);
    }],
  ];
  const widths = signs.map(([text]) => 40 + pen.measureText(text).width);
  let x = Math.max(120, (w - widths.reduce((a, b) => a + b)) / 2);
  signs.forEach(([text, draw], i) => {
    draw({ x, y: y - 4 });
    words(text, x + 12, y, paint.soft);
    x += widths[i];
  });
};

// Of the bodies that are followed; null where none has a pose.
const middleOf = (followed, k) => {
  const poses = followed.map(body => pose(body, k)).filter(Boolean);
  return poses.length ? times3(poses.map(each => each.origin).reduce(add), 1 / poses.length) : null;
};
const drawScene = () => {
  const ratio = window.devicePixelRatio || 1;
  camera.width = canvas.clientWidth;
  camera.height = canvas.clientHeight;
  const wide = Math.round(camera.width * ratio), high = Math.round(camera.height * ratio);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  if (state.follow) {
    const here = middleOf(state.follow, state.frame);
    if (here) camera.anchor = here;
  }
  lookAgain();
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = paint.scene;
  pen.fillRect(0, 0, camera.width, camera.height);
  pen.font = "12px system-ui, sans-serif";
  pen.lineCap = "round";
  if (state.show.grid) drawGround();
  drawTrails();
  for (const piece of pieces()) piece.draw();
  drawNames();
  drawKeys();
};
