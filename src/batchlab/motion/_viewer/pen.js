// The sheet that is drawn on, and what all pictures are made of.
const canvas = byId("scene");
let pen = canvas.getContext("2d");  // another where another sheet is drawn on
const LETTERS = ["x", "y", "z"];
const line = (a, b) => {
  const ends = projectLine(a, b);
  if (!ends) return;
  pen.moveTo(ends[0].x, ends[0].y);
  pen.lineTo(ends[1].x, ends[1].y);
};
const stroke = (colour, width, dash = []) => {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.stroke();
  pen.setLineDash([]);
};
const disc = (at, radius) => {
  pen.beginPath();
  pen.arc(at.x, at.y, radius, 0, 2 * Math.PI);
};

// Letters with an edge of paper, to be read over lines.
const words = (text, x, y, colour = paint.ink, align = "left") => {
  pen.textAlign = align;
  pen.lineWidth = 3;
  pen.strokeStyle = paint.scene;
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
};
const arrow = (from, to, colour) => {
  const ends = projectLine(from, to);
  if (!ends) return;
  const [a, b] = ends, long = Math.hypot(b.x - a.x, b.y - a.y);
  if (long < 4) return;  // would only hide the marker
  const head = Math.min(7, long * 0.6), ux = (b.x - a.x) / long, uy = (b.y - a.y) / long;
  pen.beginPath();
  pen.moveTo(a.x, a.y);
  pen.lineTo(b.x, b.y);
  pen.moveTo(b.x - head * (ux + uy * 0.5), b.y - head * (uy - ux * 0.5));
  pen.lineTo(b.x, b.y);
  pen.lineTo(b.x - head * (ux - uy * 0.5), b.y - head * (uy + ux * 0.5));
  stroke(paint.scene, long < 20 ? 3 : 4);
  stroke(colour, long < 20 ? 1.4 : 1.8);
};

// Fit a canvas to its place on the screen, in the colour of the scene.
const cleared = (sheet, c) => {
  const ratio = window.devicePixelRatio || 1, width = sheet.clientWidth, height = sheet.clientHeight;
  const wide = Math.round(width * ratio), high = Math.round(height * ratio);
  if (sheet.width !== wide || sheet.height !== high) {
    sheet.width = wide;
    sheet.height = high;
  }
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.fillStyle = paint.scene;
  c.fillRect(0, 0, width, height);
  c.font = "12px system-ui, sans-serif";
  c.lineCap = "round";
};
const sizeCamera = () => {
  camera.width = canvas.clientWidth;
  camera.height = canvas.clientHeight;
};
const drawTime = () => {
  words(`${times[state.frame].toFixed(3)} s`, 12, 22);
  words(`frame ${shownFrame(state.frame)}`, 12, 38, paint.soft);
};

// A bar that is true at the distance of the middle of the picture; returns how long it is drawn.
const drawBar = () => {
  const { width: w, height: h } = camera;
  const perMetre = view.focal / camera.distance;
  const long = roundUp(Math.min(140, w / 4) / perMetre / 2.5), bar = long * perMetre;
  pen.beginPath();
  pen.moveTo(12, h - 20); pen.lineTo(12, h - 14); pen.lineTo(12 + bar, h - 14); pen.lineTo(12 + bar, h - 20);
  stroke(paint.ink, 1.5);
  words(lengthOf(long), 12 + bar / 2, h - 22, paint.ink, "center");
  return bar;
};

// Axes of the laboratory, or of the camera.
const drawTriad = () => {
  const middle = { x: camera.width - 40, y: 44 };
  LETTERS.forEach((letter, i) => {
    const axis = UPS[letter], x = dot(axis, view.right) * 26, y = -dot(axis, view.upward) * 26;
    pen.beginPath();
    pen.moveTo(middle.x, middle.y);
    pen.lineTo(middle.x + x, middle.y + y);
    stroke(paint.axes[i], 2);
    words(letter, middle.x + x * 1.3, middle.y + y * 1.3 + 4, paint.axes[i], "center");
  });
};
