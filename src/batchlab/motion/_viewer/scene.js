// The picture: bodies and markers, the farthest first.
const radiusOf = (marker, at) => {
  const own = marker.body === null ? extent * 0.006 : bodies[marker.body].size * 0.03;
  return Math.max(marker.body === null ? 2 : 3, Math.min(9, own * at.scale));
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

// Of the bodies that are followed; null where none has a pose.
const middleOf = (followed, k) => {
  const poses = followed.map(body => pose(body, k)).filter(Boolean);
  return poses.length ? times3(poses.map(each => each.origin).reduce(add), 1 / poses.length) : null;
};
const drawScene = () => {
  sizeCamera();
  if (state.follow) {
    const here = middleOf(state.follow, state.frame);
    if (here) camera.anchor = here;
  }
  lookAgain();
  cleared(canvas, pen);
  if (state.show.grid) drawGround();
  drawTrails();
  for (const piece of pieces()) piece.draw();
  drawNames();
  drawKeys();
};
// What is saved as a picture.
const printed = () => canvas;
