// Where the reader stands, and where a place in space is on the picture.
const UPS = { x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
const AROUND = { x: [0, 1, 0], y: [0, 0, 1], z: [1, 0, 0] };
const VIEW_ANGLE = 35 * Math.PI / 180;
const camera = {
  up: data.up, azimuth: -60 * Math.PI / 180, elevation: 20 * Math.PI / 180, distance: 1,
  target: [0, 0, 0], anchor: [0, 0, 0], perspective: true, width: 1, height: 1,
};
const frameOf = up => {
  const name = up.replace("-", ""), sign = up[0] === "-" ? -1 : 1;
  const u = times3(UPS[name], sign), first = AROUND[name];
  return { u, first, second: cross(u, first) };
};
let view = null;
const lookAgain = () => {
  const { u, first, second } = frameOf(camera.up), { azimuth, elevation, distance } = camera;
  const level = add(times3(first, Math.cos(azimuth)), times3(second, Math.sin(azimuth)));
  const back = add(times3(level, Math.cos(elevation)), times3(u, Math.sin(elevation)));
  const centre = add(camera.anchor, camera.target), forward = times3(back, -1);
  const right = add(times3(first, -Math.sin(azimuth)), times3(second, Math.cos(azimuth)));
  view = {
    u, first, second, centre, forward, right, upward: cross(right, forward), eye: add(centre, times3(back, distance)),
    focal: camera.height / 2 / Math.tan(VIEW_ANGLE / 2), near: distance / 100,
  };
};
// Right, up and away from the eye.
const seen = p => {
  const from = less(p, view.eye);
  return [dot(from, view.right), dot(from, view.upward), dot(from, view.forward)];
};
const onPicture = c => {
  const scale = view.focal / (camera.perspective ? c[2] : camera.distance);
  return { x: camera.width / 2 + c[0] * scale, y: camera.height / 2 - c[1] * scale, depth: c[2], scale };
};
const inFront = c => !camera.perspective || c[2] > view.near;
const project = p => {
  const c = seen(p);
  return inFront(c) ? onPicture(c) : null;
};
// Both ends of a line, cut where it passes behind the eye.
const projectLine = (a, b) => {
  let p = seen(a), q = seen(b);
  if (!inFront(p) && !inFront(q)) return null;
  const cut = (out, inside) => {
    const share = (view.near - out[2]) / (inside[2] - out[2]);
    return add(out, times3(less(inside, out), share * 1.0001));
  };
  if (!inFront(p)) p = cut(p, q);
  if (!inFront(q)) q = cut(q, p);
  return [onPicture(p), onPicture(q)];
};

const goRound = (dx, dy) => {
  const most = Math.PI / 2 - 0.001;
  camera.azimuth -= dx * 0.008;
  camera.elevation = Math.max(-most, Math.min(most, camera.elevation + dy * 0.008));
};
const shift = (dx, dy) => {
  const metres = camera.distance / view.focal;
  camera.target = add(camera.target, add(times3(view.right, -dx * metres), times3(view.upward, dy * metres)));
};
const approach = factor => {
  camera.distance = Math.max(extent / 1000, Math.min(extent * 20, camera.distance * factor));
};
const fitSize = (radius, share) => {
  const narrow = Math.min(1, camera.width / camera.height);
  camera.distance = radius / (Math.tan(VIEW_ANGLE / 2) * narrow * share);
};
const goHome = () => {
  camera.target = less(times3(add(bounds.low, bounds.high), 0.5), camera.anchor);
  fitSize(extent / 2, 1.1);
};
