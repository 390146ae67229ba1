// What every page holds: frames and their times, and the arithmetic of places. Places in metres.
const byId = id => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const bytes = text => {
  const signs = atob(text), found = new Uint8Array(signs.length);
  for (let i = 0; i < signs.length; i++) found[i] = signs.charCodeAt(i);
  return found.buffer;
};
const FRAMES = data.frames, MISSING = -32768;
const times = data.times.values ? new Float64Array(bytes(data.times.values))
  : Float64Array.from({ length: FRAMES }, (_, k) => data.times.start + k * data.times.step);
const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const less = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const times3 = (a, k) => [a[0] * k, a[1] * k, a[2] * k];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const size = a => Math.hypot(a[0], a[1], a[2]);

// The last frame that is not after t.
const frameAt = t => {
  let low = 0, high = FRAMES - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= t + 1e-9) low = middle; else high = middle - 1;
  }
  return low;
};
const nearestFrame = t => {
  const k = frameAt(t);
  return k + 1 < FRAMES && times[k + 1] - t < t - times[k] ? k + 1 : k;
};
const shownFrame = k => k * data.every;
const roundUp = value => {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(factor => factor * power).find(each => each >= value * (1 - 1e-9));
};
const written = value => String(+value.toPrecision(6)).replace("-", "\u2212");
const inMm = metres => written(+(metres * 1000).toPrecision(3)) + " mm";
const lengthOf = metres => metres >= 1 ? written(metres) + " m" : inMm(metres);
