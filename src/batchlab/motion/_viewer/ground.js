// Under the bodies: a grid, feet, and the way that markers came.
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
const FADES = 6, TRAIL_POINTS = 1500;
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
