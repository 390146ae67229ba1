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
const readPaint = () => {
  readColours();
  for (const body of bodies) body.colour = tinted(data.colours[body.index % data.colours.length]);
};
readPaint();
const colourOf = (marker, k) => {
  if (marker.body === null) return paint.other;
  const off = state.colour === "residual" ? residual(marker, k) : null;
  return off ? ramp(1000 * size(off) / state.top) : state.colour === "residual" ? paint.other : bodies[marker.body].colour;
};
const isDrawn = marker => marker.body !== null || state.show.others || state.selected === marker;
