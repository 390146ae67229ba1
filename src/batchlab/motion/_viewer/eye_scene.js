// The eye in space: the eyeball, its pupil, where it looks, and the camera before it.
const ROUND = Array.from({ length: 49 }, (_, i) => i * Math.PI / 24);
const around = (centre, one, other, radius) => ROUND.map(angle => add(centre,
  add(times3(one, radius * Math.cos(angle)), times3(other, radius * Math.sin(angle)))));
const lines = (places, colour, width, dash) => {
  pen.beginPath();
  for (let i = 1; i < places.length; i++) line(places[i - 1], places[i]);
  stroke(colour, width, dash);
};

// A ball with wires that turn with the gaze: those behind it are faint.
const drawBall = (eye, at) => {
  const middle = project(eye.center_m);
  if (!middle) return;
  const far = camera.perspective ? Math.sqrt(Math.max(middle.depth ** 2 - eye.ball_m ** 2, 1e-12)) : camera.distance;
  disc(middle, eye.ball_m * view.focal / far);
  pen.globalAlpha = 0.78;
  pen.fillStyle = paint.paper;
  pen.fill();
  pen.globalAlpha = 1;
  stroke(paint.soft, 1.3, eye.covered[state.frame] === 2 ? [5, 4] : []);
  if (!at) return;
  const back = less(view.eye, eye.center_m);
  const wires = [[at.right, at.down], [at.gaze, at.right], [at.gaze, at.down]].map(pair => around(eye.center_m, ...pair, eye.ball_m));
  for (const wire of wires) {
    for (let i = 1; i < wire.length; i++) {
      pen.beginPath();
      line(wire[i - 1], wire[i]);
      pen.globalAlpha = dot(less(wire[i], eye.center_m), back) > 0 ? 0.75 : 0.2;
      stroke(paint.other, 1);
    }
  }
  pen.globalAlpha = 1;
};
const drawPupil = (eye, at) => {
  if (Number.isNaN(at.radius)) return;
  const edge = around(pupilMiddle(eye, at), at.right, at.down, at.radius), spots = edge.map(project);
  if (spots.some(spot => !spot)) return;
  const facing = dot(at.gaze, less(view.eye, pupilMiddle(eye, at))) > 0;
  pen.beginPath();
  spots.forEach((spot, i) => i ? pen.lineTo(spot.x, spot.y) : pen.moveTo(spot.x, spot.y));
  if (facing) {
    pen.fillStyle = eye.colour;
    pen.fill();
  }
  stroke(eye.colour, 2, eye.covered[state.frame] === 2 ? [4, 3] : []);
};
const tipOf = (eye, at) => add(eye.center_m, times3(at.gaze, reach));
const drawTrail = eye => {
  if (!(state.trail_s > 0)) return;
  const first = frameAt(Math.max(times[0], times[state.frame] - state.trail_s)), most = 1500;
  const stride = Math.max(1, Math.ceil((state.frame - first) / most)), tips = [];
  for (let k = Math.ceil(first / stride) * stride; k <= state.frame; k += stride) {
    const at = gazeOf(eye, k);
    tips.push(at && eye.covered[k] < 2 ? tipOf(eye, at) : null);
  }
  for (let i = 1; i < tips.length; i++) {
    if (!tips[i] || !tips[i - 1]) continue;
    pen.beginPath();
    line(tips[i - 1], tips[i]);
    pen.globalAlpha = 0.15 + 0.6 * i / tips.length;
    stroke(eye.colour, 1.6);
  }
  pen.globalAlpha = 1;
};
const drawEye = eye => {
  const at = gazeOf(eye, state.frame);
  const towards = at && dot(at.gaze, view.forward) < 0;
  const ray = () => {
    if (at && state.show.ray) {
      const start = Number.isNaN(at.distance) ? add(eye.center_m, times3(at.gaze, eye.ball_m)) : pupilMiddle(eye, at);
      arrow(start, tipOf(eye, at), eye.colour);
    }
  };
  if (!towards) ray();
  if (at && !towards) drawPupil(eye, at);
  if (state.show.ball) drawBall(eye, at);
  if (at && towards) drawPupil(eye, at);
  if (towards) ray();
  const middle = project(eye.center_m);
  if (!middle) return;
  disc(middle, 2.5);
  pen.fillStyle = paint.soft;
  pen.fill();
  if (eyes.length > 1 || state.show.labels) words(eye.name, middle.x + 6, middle.y + 14, paint.soft);
};

// A pyramid where the camera is, open to what it sees, and its line of sight to the pupil.
const drawCamera = () => {
  if (!data.camera || !state.show.camera) return;
  const { focal_px, principal_px } = data.camera, depth = Math.min(0.25 * eyes[0].center_m[2], reach);
  const corners = [[0, 0], [2, 0], [2, 2], [0, 2]].map(([i, j]) =>
    [(i - 1) * principal_px[0] * depth / focal_px, (j - 1) * principal_px[1] * depth / focal_px, depth]);
  for (const corner of corners) lines([[0, 0, 0], corner], paint.soft, 1.2);
  lines([...corners, corners[0]], paint.soft, 1.2);
  const at = gazeOf(eyes[0], state.frame), spot = project([0, 0, 0]);
  if (at) lines([[0, 0, 0], pupilMiddle(eyes[0], at)], paint.other, 1, [2, 4]);
  if (spot) words("camera", spot.x + 6, spot.y - 6, paint.soft);
};

const degrees = value => `${(value * 180 / Math.PI).toFixed(1).replace("-", "\u2212")}°`;
const drawNumbers = () => {
  drawTime();
  eyes.forEach((eye, i) => {
    const at = gazeOf(eye, state.frame), [one, other] = eye.errors.subarray(3 * state.frame, 3 * state.frame + 2);
    const spread = error => Number.isNaN(error) ? "" : ` ± ${written(+(error * 360 / Math.PI).toPrecision(2))}°`;
    const text = at ? `azimuth ${degrees(at.azimuth)}${spread(one)}, elevation ${degrees(at.elevation)}${spread(other)}` : "not seen";
    words((eyes.length > 1 ? `${eye.name}: ` : "") + text, 12, 58 + 18 * i, eye.colour);
    if (eye.covered[state.frame] === 2 && at) words(eye.vendor ? "of little confidence" : "inferred", 12, 58 + 18 * (eyes.length + i), paint.soft);
  });
  drawBar();
  drawTriad();
};
const drawSpace = () => {
  sizeCamera();
  lookAgain();
  cleared(canvas, pen);
  const pieces = [...eyes.map(eye => ({ depth: seen(eye.center_m)[2], draw: () => drawEye(eye) })), { depth: seen([0, 0, 0])[2], draw: drawCamera }];
  for (const eye of eyes) drawTrail(eye);
  for (const piece of pieces.sort((a, b) => b.depth - a.depth)) piece.draw();
  drawNumbers();
};
