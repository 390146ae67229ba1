// What is shown, and how.
const VECTOR_SCALES = [1, 2, 5, 10, 20, 50, 100];
// Large residuals are drawn up to a sixth of the smallest body.
const startScale = VECTOR_SCALES.filter(scale => scale === 1
  || scale * data.colour_top_mm / 1000 <= Math.min(...bodies.map(body => body.size)) / 6).pop();
const state = {
  frame: 0, clock: times[0], playing: false, speed: 1, loop: true, follow: null, selected: null, hover: null,
  vectorScale: startScale, trail_s: 0, colour: bodies.length ? "residual" : "body", top: data.colour_top_mm, range: [times[0], times[FRAMES - 1]],
  show: { raw: true, fitted: true, vectors: true, edges: true, axes: true, others: true, labels: false, grid: true },
};
const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const paint = {};
const AXIS_COLOURS = ["#D55E00", "#009E73", "#0072B2"];
// For dark paper.
const lighter = colour => `rgb(${[1, 3, 5].map(i => Math.round(parseInt(colour.slice(i, i + 2), 16) * 0.62 + 97)).join(",")})`;
const readPaint = () => {
  for (const name of ["paper", "scene", "ink", "soft", "line", "link", "other", "gap"]) paint[name] = style("--" + name);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches, tint = dark ? lighter : colour => colour;
  paint.axes = AXIS_COLOURS.map(tint);
  for (const body of bodies) body.colour = tint(data.colours[body.index % data.colours.length]);
};
readPaint();

// Viridis, which stays in order for colour-blind readers and in grey.
const RAMP = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121],
  [110, 206, 88], [181, 222, 43], [253, 231, 37]];
const ramp = share => {
  const at = Math.max(0, Math.min(1, share)) * (RAMP.length - 1), low = Math.min(RAMP.length - 2, Math.floor(at));
  return `rgb(${RAMP[low].map((value, i) => Math.round(value + (RAMP[low + 1][i] - value) * (at - low))).join(",")})`;
};
const colourOf = (marker, k) => {
  if (marker.body === null) return paint.other;
  const off = state.colour === "residual" ? residual(marker, k) : null;
  return off ? ramp(1000 * size(off) / state.top) : state.colour === "residual" ? paint.other : bodies[marker.body].colour;
};
const isDrawn = marker => marker.body !== null || state.show.others || state.selected === marker;
const shownFrame = k => k * data.every;
