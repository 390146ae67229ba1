// Plots over time, with one cursor and one range for all of them and the picture.
const MARGIN = { left: 52, right: 10, top: 18, bottom: 18 }, STRIP = 5;

// What most values keep within: a few peaks far above would press all others flat, and are cut.
const topOf = lines => {
  const values = Float32Array.from(lines.flatMap(({ values }) => {
    const stride = Math.ceil(FRAMES / 20000);
    return Array.from(values.filter((value, k) => k % stride === 0 && !Number.isNaN(value)), Math.abs);
  })).sort();
  if (!values.length) return Infinity;
  const usual = values[Math.floor(0.99 * (values.length - 1))];
  return values[values.length - 1] > 5 * usual && usual > 0 ? 2 * usual : Infinity;
};
const ticks = (low, high, count) => {
  const step = roundUp((high - low) / count), found = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(+(k * step).toPrecision(12));
  return found;
};

// Stretches of frames that share a code.
const runs = (codes, first, last, tell) => {
  for (let k = first, end; k <= last; k = end + 1) {
    for (end = k; end < last && codes[end + 1] === codes[k];) end++;
    tell(codes[k], k, end);
  }
};
const heights = (chart, first, last) => {
  let low = chart.floating ? Infinity : 0, high = chart.floating ? -Infinity : 0;
  for (const { values } of chart.lines) {
    for (let k = first; k <= last; k++) {
      if (values[k] < low) low = values[k];
      if (values[k] > high) high = values[k];
    }
  }
  if (!(low <= high)) { low = 0; high = 1; }
  chart.cut = high > chart.top || low < -chart.top;
  high = Math.min(high, chart.top);
  low = Math.max(low, -chart.top);
  const room = (high - low || 1) * 0.06;
  return [low < 0 || chart.floating ? low - room : low, high + room];
};

// Lay out a chart for the range and its size on the screen.
const laidOut = (chart, c, width, height) => {
  const [t0, t1] = state.range;
  const w = width - MARGIN.left - MARGIN.right, h = height - MARGIN.top - MARGIN.bottom - STRIP * chart.strips.length;
  const first = frameAt(t0), last = Math.min(FRAMES - 1, frameAt(t1) + 1), [low, high] = heights(chart, first, last);
  chart.px = t => MARGIN.left + (t - t0) / (t1 - t0 || 1) * w;
  chart.time = px => t0 + (px - MARGIN.left) / w * (t1 - t0);
  chart.py = y => MARGIN.top + (high - y) / (high - low) * h;
  return { c, w, h, height, first, last, low, high };
};
const drawAxes = (chart, { c, w, h, height, low, high }) => {
  c.lineWidth = 1;
  c.strokeStyle = paint.line;
  c.fillStyle = paint.soft;
  c.textAlign = "right";
  for (const y of ticks(low, high, Math.max(2, h / 22))) {
    c.beginPath(); c.moveTo(MARGIN.left, chart.py(y)); c.lineTo(MARGIN.left + w, chart.py(y)); c.stroke();
    c.fillText(written(y), MARGIN.left - 5, chart.py(y) + 4);
  }
  c.textAlign = "center";
  const marks = ticks(...state.range, Math.max(2, w / 90));
  const digits = marks.length > 1 ? Math.max(0, Math.ceil(-Math.log10(marks[1] - marks[0]) - 1e-9)) : 3;
  marks.forEach((t, i) => c.fillText(t.toFixed(digits).replace("-", "\u2212") + (i === marks.length - 1 ? " s" : ""), chart.px(t), height - 4));
};

// The least and the greatest value of each column of pixels: no peak is lost, however many frames there are.
const drawLine = (chart, values, { c, first, last }) => {
  let column = null, low = NaN, high = NaN, on = false;
  const put = () => {
    if (Number.isNaN(low)) { on = false; return; }
    if (on) c.lineTo(column, chart.py(high)); else c.moveTo(column - 0.5, chart.py(high));
    c.lineTo(column, chart.py(low));
    on = true;
  };
  const dense = last - first > 2 * (chart.px(times[last]) - chart.px(times[first]));
  c.beginPath();
  for (let k = first; k <= last; k++) {
    const at = chart.px(times[k]), here = dense ? Math.floor(at) : at, y = values[k];
    if (here !== column) {
      if (column !== null) put();
      column = here; low = NaN; high = NaN;
    }
    if (Number.isNaN(y)) continue;
    if (!(low <= y)) low = y;
    if (!(high >= y)) high = y;
  }
  put();
  c.stroke();
};
const drawHead = (chart, c) => {
  c.textAlign = "left";
  const title = chart.title + (chart.cut ? ` (peaks cut at ${written(+chart.top.toPrecision(2))})` : "");
  c.fillStyle = paint.soft;
  c.fillText(title, MARGIN.left, 12);
  let x = MARGIN.left + c.measureText(title).width + 14;
  for (const { name, colour, values } of chart.lines) {
    const value = values[state.frame], text = `${name} ${Number.isNaN(value) ? "–" : written(+value.toPrecision(3))}`.trim();
    c.fillStyle = colour();
    c.fillRect(x, 4, 8, 8);
    c.fillStyle = paint.ink;
    c.fillText(text, x + 12, 12);
    x += c.measureText(text).width + 26;
  }
};

// All but the cursor and the numbers under it.
const drawBack = (chart, sheet) => {
  const { c, w, h, height, first, last } = sheet, { px } = chart;
  c.save();
  c.beginPath();
  c.rect(MARGIN.left, MARGIN.top, w, h);
  c.clip();
  if (chart.seen) {
    c.fillStyle = paint.gap;
    runs(chart.seen, first, last, (code, k, end) => {
      if (!code) c.fillRect(px(times[k]) - 0.5, MARGIN.top, px(times[end]) - px(times[k]) + 1, h);
    });
  }
  c.restore();
  drawAxes(chart, sheet);
  c.save();
  c.beginPath();
  c.rect(MARGIN.left, MARGIN.top - 1, w + 1, height - MARGIN.top - MARGIN.bottom + 2);
  c.clip();
  for (const { values, colour } of chart.lines) {
    c.strokeStyle = colour();
    c.lineWidth = 1.1;
    drawLine(chart, values, sheet);
  }
  // Below: thin where some markers are missing, thick where the pose is inferred.
  chart.strips.forEach((strip, i) => {
    c.fillStyle = strip.colour();
    runs(strip.covered, first, last, (code, k, end) => {
      const high = [0, 1.5, 4][code];
      c.fillRect(px(times[k]) - 0.5, MARGIN.top + h + STRIP * (i + 1) - high, Math.max(1, px(times[end]) - px(times[k])), high);
    });
  });
  c.restore();
};
const drawChart = chart => {
  const { canvas: sheet } = chart, width = sheet.clientWidth, height = sheet.clientHeight, ratio = window.devicePixelRatio || 1;
  if (!width) return;
  const key = [...state.range, width, height, ratio, paint.ink].join();
  if (chart.key !== key || chart.drawn !== chart.lines) {
    // Kept while only the cursor moves: an hour of frames is not gone through for each of them.
    chart.back = chart.back || document.createElement("canvas");
    for (const each of [sheet, chart.back]) {
      each.width = Math.round(width * ratio);
      each.height = Math.round(height * ratio);
    }
    const c = chart.back.getContext("2d");
    c.scale(ratio, ratio);
    c.font = "11px system-ui, sans-serif";
    drawBack(chart, laidOut(chart, c, width, height));
    Object.assign(chart, { key, drawn: chart.lines });
  }
  const c = sheet.getContext("2d"), x = chart.px(times[state.frame]);
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.clearRect(0, 0, sheet.width, sheet.height);
  c.drawImage(chart.back, 0, 0);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.font = "11px system-ui, sans-serif";
  c.strokeStyle = paint.link;
  c.lineWidth = 1.5;
  c.beginPath(); c.moveTo(x, MARGIN.top - 2); c.lineTo(x, height - MARGIN.bottom + 3); c.stroke();
  drawHead(chart, c);
};
const zoomTime = (factor, t) => {
  const [t0, t1] = state.range, whole = times[FRAMES - 1] - times[0];
  const wide = Math.min(whole, Math.max(Math.min(whole, 5 * whole / FRAMES), (t1 - t0) * factor));
  const start = Math.max(times[0], Math.min(times[FRAMES - 1] - wide, t - (t - t0) / (t1 - t0 || 1) * wide));
  state.range = [start, start + wide];
  draw();
};
