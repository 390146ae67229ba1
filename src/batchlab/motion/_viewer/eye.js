// Eyes and points of the pupil's edge, and where they are in a frame: in space in metres, in the image in pixels.
const eyes = data.eyes.map((eye, index) => ({
  ...eye, index, frames: new Float32Array(bytes(eye.frames)), errors: new Float32Array(bytes(eye.errors)),
  distances: new Float32Array(bytes(eye.distances)), covered: new Uint8Array(bytes(eye.covered)),
}));
const points = data.points.map((point, index) => ({
  ...point, index, places: new Int16Array(bytes(point.track.codes)), peak: point.residuals.peak_m,
  residuals: new Int16Array(bytes(point.residuals.codes)), weights: new Uint8Array(bytes(point.weights)),
}));
const pointNamed = name => points.find(point => point.name === name) || null;

// Gaze, and what is to the right of the image and below it, as one looks along it; null where it is not known.
const gazeOf = (eye, k) => {
  const [azimuth, elevation, radius] = eye.frames.subarray(3 * k, 3 * k + 3);
  if (Number.isNaN(azimuth)) return null;
  const ca = Math.cos(azimuth), sa = Math.sin(azimuth), ce = Math.cos(elevation), se = Math.sin(elevation);
  const gaze = [sa * ce, -se, eye.ahead * ca * ce], right = [ca, 0, -eye.ahead * sa];
  return { azimuth, elevation, radius, gaze, right, down: cross(right, gaze), distance: eye.distances[k] };
};
const pupilMiddle = (eye, at) => add(eye.center_m, times3(at.gaze, at.distance));
const pupilPlace = (eye, at, angle) => add(pupilMiddle(eye, at),
  add(times3(at.right, at.radius * Math.cos(angle)), times3(at.down, at.radius * Math.sin(angle))));
const inImage = place => {
  const { focal_px, principal_px } = data.camera;
  return [0, 1].map(i => principal_px[i] + focal_px * place[i] / place[2]);
};

const pointSeen = (point, k) => {
  if (point.places[2 * k] === MISSING) return null;
  const { middle_m: middle, step_m: step } = point.track;  // in px here
  return [0, 1].map(i => middle[i] + step[i] * point.places[2 * k + i]);
};
// Codes are signed square roots of shares of the peak.
const pointOff = (point, k) => {
  if (point.residuals[2 * k] === MISSING) return null;
  return [0, 1].map(i => {
    const share = point.residuals[2 * k + i] / 32767;
    return share * Math.abs(share) * point.peak;
  });
};
const pointFitted = (point, k) => {
  const raw = pointSeen(point, k), off = pointOff(point, k);
  if (raw && off) return [raw[0] - off[0], raw[1] - off[1]];
  const at = gazeOf(eyes[0], k);
  return at && inImage(pupilPlace(eyes[0], at, point.angle));
};

// From the first pictures on all of the eye is to be seen, and the camera where it is near.
const reach = Math.max(...eyes.map(eye => eye.ball_m)) * 2.4;
const bounds = (() => {
  const room = times3([1, 1, 1], 0.6 * reach), around = eyes.flatMap(eye => [add(eye.center_m, room), less(eye.center_m, room)]);
  const near = data.camera && size(eyes[0].center_m) < 8 * reach ? [[0, 0, 0]] : [];
  const along = i => [...around, ...near].map(place => place[i]);
  return { low: [0, 1, 2].map(i => Math.min(...along(i))), high: [0, 1, 2].map(i => Math.max(...along(i))) };
})();
const extent = size(less(bounds.high, bounds.low));

for (const point of points) {
  let sum = 0, seen = 0;
  for (let k = 0; k < FRAMES; k++) {
    const off = pointOff(point, k);
    if (off) { sum += off[0] ** 2 + off[1] ** 2; seen++; }
  }
  point.rms = seen ? Math.sqrt(sum / seen) : NaN;
  point.missing = 1 - seen / FRAMES;
}
