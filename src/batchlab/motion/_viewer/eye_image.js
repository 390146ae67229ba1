// The image of the eye's camera: points as they were measured, and the outline and points that the fit has there.
const sheet = byId("image"), brush = sheet.getContext("2d");
const quantile = (values, share) => values[Math.round(share * (values.length - 1))];
// What all but stray points lie in, with the tear duct.
const near = (() => {
  const found = [[], []], stride = Math.max(1, Math.ceil(FRAMES * points.length / 60000));
  for (const point of points) {
    for (let k = 0; k < FRAMES; k += stride) {
      const at = pointSeen(point, k);
      if (at) at.forEach((value, i) => found[i].push(value));
    }
  }
  if (!found[0].length) return { low: [0, 0], high: [1, 1] };
  const sorted = found.map(values => Float64Array.from(values).sort());
  const duct = data.tear_duct_px, ends = share => sorted.map(values => quantile(values, share));
  const low = ends(0.003), high = ends(0.997);
  return {
    low: low.map((value, i) => duct ? Math.min(value, duct[i]) : value),
    high: high.map((value, i) => duct ? Math.max(value, duct[i]) : value),
  };
})();
const imageView = () => {
  const { low, high } = state.whole && data.camera ? { low: [0, 0], high: data.camera.principal_px.map(value => 2 * value) } : near;
  const w = sheet.clientWidth, h = sheet.clientHeight, room = 40;
  const scale = Math.max(1e-6, Math.min((w - 2 * room) / (high[0] - low[0] || 1), (h - 2 * room) / (high[1] - low[1] || 1)));
  const middle = [0, 1].map(i => (low[i] + high[i]) / 2);
  return { scale, w, h, at: px => ({ x: w / 2 + (px[0] - middle[0]) * scale, y: h / 2 + (px[1] - middle[1]) * scale }),
    back: (x, y) => [middle[0] + (x - w / 2) / scale, middle[1] + (y - h / 2) / scale] };
};
const drawGrid = ({ w, h, at, back, scale }) => {
  const step = roundUp(80 / scale), first = back(0, 0), last = back(w, h);
  pen.beginPath();
  for (let x = Math.ceil(first[0] / step) * step; x <= last[0]; x += step) { const p = at([x, 0]); pen.moveTo(p.x, 0); pen.lineTo(p.x, h); }
  for (let y = Math.ceil(first[1] / step) * step; y <= last[1]; y += step) { const p = at([0, y]); pen.moveTo(0, p.y); pen.lineTo(w, p.y); }
  stroke(paint.line, 1);
  for (let x = Math.ceil(first[0] / step) * step; x <= last[0]; x += step) words(written(x), at([x, 0]).x, h - 6, paint.soft, "center");
  for (let y = Math.ceil(first[1] / step) * step; y <= last[1] - 30 / scale; y += step) if (at([0, y]).y > 42) words(written(y), 4, at([0, y]).y - 3, paint.soft);
  if (!data.camera) return;
  const { principal_px: axis } = data.camera, cross = at(axis), edge = [at([0, 0]), at(axis.map(value => 2 * value))];
  pen.beginPath();
  pen.moveTo(cross.x - 6, cross.y); pen.lineTo(cross.x + 6, cross.y); pen.moveTo(cross.x, cross.y - 6); pen.lineTo(cross.x, cross.y + 6);
  stroke(paint.soft, 1);
  pen.strokeStyle = paint.other;
  pen.strokeRect(edge[0].x, edge[0].y, edge[1].x - edge[0].x, edge[1].y - edge[0].y);
};
const drawOutline = (eye, at, place) => {
  const spots = ROUND.map(angle => place(inImage(pupilPlace(eye, at, angle))));
  pen.beginPath();
  spots.forEach((spot, i) => i ? pen.lineTo(spot.x, spot.y) : pen.moveTo(spot.x, spot.y));
  stroke(eye.colour, 1.6, eye.covered[state.frame] === 2 ? [5, 4] : []);
  // From the centre of the eyeball to that of the pupil: where it looks, foreshortened.
  const centre = place(inImage(eye.center_m)), pupil = place(inImage(pupilMiddle(eye, at)));
  pen.beginPath();
  pen.moveTo(centre.x, centre.y);
  pen.lineTo(pupil.x, pupil.y);
  stroke(eye.colour, 1.2, [3, 3]);
  disc(centre, 4);
  stroke(eye.colour, 1.6);
};
const drawPoint = (point, k, place) => {
  const raw = pointSeen(point, k), fit = pointFitted(point, k), off = pointOff(point, k);
  const told = state.selected === point || state.hover === point, at = raw && place(raw), fitAt = fit && place(fit);
  if (fitAt && (state.show.fitted || (!raw && state.show.raw))) {
    pen.beginPath();
    pen.moveTo(fitAt.x - 6, fitAt.y); pen.lineTo(fitAt.x + 6, fitAt.y); pen.moveTo(fitAt.x, fitAt.y - 6); pen.lineTo(fitAt.x, fitAt.y + 6);
    stroke(eyes[0].colour, 1.3);
  }
  if (at && fitAt && off && state.show.vectors) {
    pen.beginPath();
    pen.moveTo(fitAt.x, fitAt.y);
    pen.lineTo(fitAt.x + off[0] * state.vectorScale * place.scale, fitAt.y + off[1] * state.vectorScale * place.scale);
    stroke(paint.ink, 1.4);
  }
  if (at && state.show.raw) {
    disc(at, 5);
    pen.fillStyle = colourOf(point, k);
    pen.fill();
    stroke(paint.ink, 1);
    if (point.weights[k] < 128) {
      pen.beginPath();
      for (const sign of [-1, 1]) { pen.moveTo(at.x - 8, at.y - sign * 8); pen.lineTo(at.x + 8, at.y + sign * 8); }
      stroke(paint.ink, 1.5);
    }
  }
  const spot = at || fitAt;
  if (!spot) return;
  if (told) { disc(spot, 10); stroke(paint.link, 2); }
  const after = !told ? "" : !raw ? " · not seen" : off ? ` · ${written(+Math.hypot(...off).toPrecision(3))} px` : "";
  if (told || state.show.labels) words(point.name + after, spot.x + 11, spot.y - 7, told ? paint.ink : paint.soft);
};
const drawRamp = ({ w }) => {
  const wide = 110, left = w - wide - 20, top = 22;
  for (let i = 0; i < wide; i++) {
    pen.fillStyle = ramp(i / (wide - 1));
    pen.fillRect(left + i, top, 1.5, 8);
  }
  words("residual, px", left + wide / 2, top - 6, paint.ink, "center");
  words("0", left, top + 20, paint.ink, "center");
  words(`\u2265${written(state.top)}`, left + wide, top + 20, paint.ink, "center");
  if (state.show.vectors) words(`residuals drawn \u00d7${state.vectorScale}`, left + wide / 2, top + 36, paint.soft, "center");
};
const drawImage = () => {
  if (!points.length) return;
  const before = pen;
  pen = brush;
  cleared(sheet, pen);
  const seenAs = imageView(), place = px => seenAs.at(px), at = gazeOf(eyes[0], state.frame);
  place.scale = seenAs.scale;
  if (state.show.grid) drawGrid(seenAs);
  if (at && state.show.fitted) drawOutline(eyes[0], at, place);
  if (data.tear_duct_px) {
    const duct = place(data.tear_duct_px);
    pen.beginPath();
    pen.rect(duct.x - 5, duct.y - 5, 10, 10);
    stroke(paint.soft, 1.5);
    words("tear duct", duct.x, duct.y + 20, paint.soft, "center");
  }
  for (const point of points) drawPoint(point, state.frame, place);
  words("image, px", 12, 22);
  drawRamp(seenAs);
  pen = before;
};
const pointAt = (x, y) => {
  let best = null, least = 16;
  const { at } = imageView();
  for (const point of points) {
    const px = pointSeen(point, state.frame) || pointFitted(point, state.frame), spot = px && at(px);
    const apart = spot ? Math.hypot(spot.x - x, spot.y - y) : Infinity;
    if (apart < least) { least = apart; best = point; }
  }
  return best;
};
const drawScene = () => {
  drawSpace();
  drawImage();
};
// What is saved as a picture: both, side by side.
const printed = () => {
  const both = document.createElement("canvas"), c = both.getContext("2d");
  both.width = canvas.width + (points.length ? sheet.width : 0);
  both.height = canvas.height;
  c.drawImage(canvas, 0, 0);
  if (points.length) c.drawImage(sheet, canvas.width, 0);
  return both;
};
