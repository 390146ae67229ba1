// Bodies and markers, and where each of them is in a frame.
const bodies = data.bodies.map((body, index) => ({
  ...body, index, poses: new Float32Array(bytes(body.poses)), geometry: new Float32Array(bytes(body.geometry)),
  covered: new Uint8Array(bytes(body.covered)),
}));
const markers = data.markers.map((marker, index) => ({
  ...marker, index, label: marker.name.slice(marker.name.lastIndexOf(":") + 1),
  peak_m: marker.residuals && marker.residuals.peak_m,
  residuals: marker.residuals && new Int16Array(bytes(marker.residuals.codes)),
  weights: marker.weights && new Uint8Array(bytes(marker.weights)),
  places: marker.track && new Int16Array(bytes(marker.track.codes)),
}));
const markerNamed = name => markers.find(marker => marker.name === name) || null;

// Place and axes (columns of the rotation) of a body, or null where it has no pose.
const pose = (body, k) => {
  const [tx, ty, tz, x, y, z, w] = body.poses.subarray(7 * k, 7 * k + 7);
  if (Number.isNaN(tx)) return null;
  return {
    origin: [tx, ty, tz],
    axes: [
      [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)],
      [2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)],
      [2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)],
    ],
  };
};
const fitted = (marker, k) => {
  if (marker.body === null) return null;
  const body = bodies[marker.body], at = pose(body, k);
  const [x, y, z] = body.geometry.subarray(3 * marker.slot, 3 * marker.slot + 3);
  if (!at || Number.isNaN(x)) return null;
  return add(at.origin, add(times3(at.axes[0], x), add(times3(at.axes[1], y), times3(at.axes[2], z))));
};

// Codes are signed square roots of shares of the peak.
const residual = (marker, k) => {
  if (!marker.residuals || marker.residuals[3 * k] === MISSING) return null;
  return [0, 1, 2].map(i => {
    const share = marker.residuals[3 * k + i] / 32767;
    return share * Math.abs(share) * marker.peak_m;
  });
};
const measured = (marker, k) => {
  const off = residual(marker, k);
  if (off) {
    const at = fitted(marker, k);
    return at && add(at, off);
  }
  if (!marker.places || marker.places[3 * k] === MISSING) return null;
  const { middle_m, step_m } = marker.track;
  return [0, 1, 2].map(i => middle_m[i] + step_m[i] * marker.places[3 * k + i]);
};

// The box that all but stray places lie in.
const bounds = (() => {
  const stride = Math.max(1, Math.ceil(FRAMES * markers.length / 60000)), found = [[], [], []];
  for (const marker of markers) {
    for (let k = 0; k < FRAMES; k += stride) {
      const at = measured(marker, k);
      if (at) at.forEach((value, i) => found[i].push(value));
    }
  }
  if (!found[0].length) return { low: [-0.5, -0.5, -0.5], high: [0.5, 0.5, 0.5] };
  const sorted = found.map(values => Float64Array.from(values).sort());
  const part = share => sorted.map(values => values[Math.round(share * (values.length - 1))]);
  return { low: part(0.003), high: part(0.997) };
})();
const extent = Math.max(0.01, size(less(bounds.high, bounds.low)));
for (const body of bodies) {
  body.size = 0;
  for (let i = 0; i < body.geometry.length; i += 3) {
    for (let j = 0; j < i; j += 3) {
      const apart = size(less(body.geometry.subarray(i, i + 3), body.geometry.subarray(j, j + 3)));
      if (apart > body.size) body.size = apart;
    }
  }
  body.size = body.size || extent / 5;
}

// Over time, in mm: root mean square of the lengths of a body's residuals in each frame.
const rmsOf = body => Float32Array.from({ length: FRAMES }, (_, k) => {
  let sum = 0, count = 0;
  for (const index of body.markers) {
    const off = residual(markers[index], k);
    if (off) { sum += dot(off, off); count++; }
  }
  return count ? 1000 * Math.sqrt(sum / count) : NaN;
});
for (const marker of markers) {
  let sum = 0, seen = 0, told = 0;
  for (let k = 0; k < FRAMES; k++) {
    const off = residual(marker, k);
    if (off) { sum += dot(off, off); told++; }
    if (off || (marker.places && marker.places[3 * k] !== MISSING)) seen++;
  }
  marker.rms = told ? 1000 * Math.sqrt(sum / told) : NaN;
  marker.missing = 1 - seen / FRAMES;
}
