// What is shown of an eye, and how.
const VECTOR_SCALES = [1, 2, 5, 10, 20, 50, 100];
const state = {
  frame: 0, clock: times[0], playing: false, speed: 1, loop: true, selected: null, hover: null, vectorScale: 5, trail_s: 1,
  range: [times[0], times[FRAMES - 1]], top: data.colour_top_px, whole: false, quantity: points.length ? "radius" : "speed",
  show: { ball: true, ray: true, camera: true, raw: true, fitted: true, vectors: true, labels: false, grid: true },
};
Object.assign(camera, eyes[0].ahead < 0 ? { azimuth: 140 * Math.PI / 180 } : { azimuth: 35 * Math.PI / 180 });
const readPaint = () => {
  readColours();
  for (const eye of eyes) eye.colour = tinted(data.colours[eye.index % data.colours.length]);
};
readPaint();
const colourOf = (point, k) => {
  const off = pointOff(point, k);
  return off ? ramp(Math.hypot(...off) / state.top) : paint.other;
};
