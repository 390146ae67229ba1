"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const bytes = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0)).buffer;
  const axis = new Float64Array(bytes(data.axis));  // ascending, whichever way it is shown
  const rows = data.rows.map(row => new Float32Array(bytes(row)));
  const bands = data.bands.map(band => ({
    ...band, x: new Float64Array(bytes(band.x)), low: new Float32Array(bytes(band.low)), high: new Float32Array(bytes(band.high)),
  }));
  const whole = [axis[0], axis[axis.length - 1]];
  const state = { view: whole.slice(), shown: new Set(rows.keys()), reference: data.reference, at: null, drag: null };
  const margin = { left: 74, right: 14, top: 10, bottom: 40 };
  const MOST_TOLD = 12, boxes = [], swatches = [];
  const panels = [
    { canvas: byId("overlay"), label: data.y_label, value: (row, i) => row[i] },
    { canvas: byId("difference"), label: data.difference_label, value: (row, i) => row[i] - rows[state.reference][i] },
  ];
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = k => {
    const own = data.colours[k % data.colours.length];
    return k === state.reference || own === "#000000" ? style("--ink") : own;  // black is to be seen on dark paper
  };

  // The first point not below x.
  const indexOf = x => {
    let low = 0, high = axis.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (axis[middle] < x) low = middle + 1; else high = middle;
    }
    return low;
  };
  const nearest = x => {
    const i = Math.min(axis.length - 1, indexOf(x));
    return i > 0 && x - axis[i - 1] < axis[i] - x ? i - 1 : i;
  };
  const inView = () => [Math.max(0, indexOf(state.view[0]) - 1), Math.min(axis.length - 1, indexOf(state.view[1]))];
  const drawn = panel => panel === panels[0] ? [...state.shown] : [...state.shown].filter(k => k !== state.reference);

  const ticks = (low, high, count) => {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(factor => factor * power).find(each => each >= rough);
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(k * step);
    return found;
  };
  const written = value => {
    const size = Math.abs(value);
    return (size !== 0 && (size >= 1e6 || size < 1e-4) ? value.toExponential(3) : String(+value.toPrecision(6)))
      .replace("-", "\u2212");
  };

  const measure = panel => {
    const [first, last] = inView();
    let low = Infinity, high = -Infinity;
    for (const k of drawn(panel)) {
      for (let i = first; i <= last; i++) {
        const y = panel.value(rows[k], i);
        if (y < low) low = y;
        if (y > high) high = y;
      }
    }
    if (panel === panels[0]) {
      for (const band of bands) {
        for (let i = 0; i < band.x.length; i++) {
          if (band.x[i] < state.view[0] || band.x[i] > state.view[1]) continue;
          if (band.low[i] < low) low = band.low[i];
          if (band.high[i] > high) high = band.high[i];
        }
      }
    }
    if (panel === panels[1]) { low = Math.min(low, 0); high = Math.max(high, 0); }
    if (!(low <= high)) { low = 0; high = 1; }
    const room = (high - low) * 0.05 || Math.abs(high) * 0.5 || 1;
    panel.low = low - room;
    panel.high = high + room;
  };

  const scale = panel => {
    const { canvas } = panel, ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    panel.w = width - margin.left - margin.right;
    panel.h = height - margin.top - margin.bottom;
    const [x0, x1] = state.view, across = panel.w / (x1 - x0);
    panel.px = x => margin.left + (data.down ? x1 - x : x - x0) * across;
    panel.x = px => data.down ? x1 - (px - margin.left) / across : x0 + (px - margin.left) / across;
    panel.py = y => margin.top + (panel.high - y) / (panel.high - panel.low) * panel.h;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
  };

  const frame = (panel, c) => {
    c.clearRect(0, 0, panel.canvas.clientWidth, panel.canvas.clientHeight);
    c.font = "12px system-ui, sans-serif";
    c.lineWidth = 1;
    c.strokeStyle = style("--line");
    c.fillStyle = style("--ink");
    const bottom = margin.top + panel.h;
    c.textAlign = "center";
    for (const x of ticks(...state.view, Math.max(2, panel.w / 110))) {
      c.beginPath(); c.moveTo(panel.px(x), margin.top); c.lineTo(panel.px(x), bottom); c.stroke();
      c.fillText(written(x), panel.px(x), bottom + 15);
    }
    c.textAlign = "right";
    for (const y of ticks(panel.low, panel.high, Math.max(2, panel.h / 55))) {
      c.beginPath(); c.moveTo(margin.left, panel.py(y)); c.lineTo(margin.left + panel.w, panel.py(y)); c.stroke();
      c.fillText(written(y), margin.left - 6, panel.py(y) + 4);
    }
    c.textAlign = "center";
    c.fillText(data.x_label, margin.left + panel.w / 2, bottom + 33);
    c.save();
    c.translate(14, margin.top + panel.h / 2);
    c.rotate(-Math.PI / 2);
    c.fillText(panel.label, 0, 0, panel.h);
    c.restore();
  };

  // A line; where points are finer than pixels, from the lowest to the highest of each pixel.
  const curve = (panel, c, row) => {
    const [first, last] = inView();
    const fine = last - first > 3 * panel.w;
    let pen = false, column = null, low = 0, high = 0;
    const flush = () => {
      if (column === null) return;
      c.lineTo(column, panel.py(low));
      c.lineTo(column, panel.py(high));
    };
    c.beginPath();
    for (let i = first; i <= last; i++) {
      const y = panel.value(row, i);
      if (!Number.isFinite(y)) { flush(); pen = false; column = null; continue; }
      const x = panel.px(axis[i]);
      if (!pen) { c.moveTo(x, panel.py(y)); pen = true; }
      if (!fine) { c.lineTo(x, panel.py(y)); continue; }
      if (Math.round(x) === column) { low = Math.min(low, y); high = Math.max(high, y); continue; }
      flush();
      column = Math.round(x); low = high = y;
    }
    flush();
    c.stroke();
  };

  // What lies behind the curves: ranges that no number knows of, and bands, each run of finite points by itself.
  const behind = (panel, c) => {
    c.fillStyle = style("--mask");
    for (const [low, high] of data.masks) {
      const [a, b] = [panel.px(low), panel.px(high)];
      c.fillRect(Math.min(a, b), margin.top, Math.abs(b - a), panel.h);
    }
    if (panel !== panels[0]) return;
    c.globalAlpha = 0.25;
    for (const { x, low, high, colour } of bands) {
      c.fillStyle = colour;
      for (let start = 0, end; start < x.length; start = end + 1) {
        for (end = start; end < x.length && Number.isFinite(low[end]) && Number.isFinite(high[end]); end++);
        if (end === start) continue;
        c.beginPath();
        for (let i = start; i < end; i++) c.lineTo(panel.px(x[i]), panel.py(high[i]));
        for (let i = end - 1; i >= start; i--) c.lineTo(panel.px(x[i]), panel.py(low[i]));
        c.fill();
      }
    }
    c.globalAlpha = 1;
  };

  const draw = () => {
    byId("difference").hidden = state.reference === null;
    for (const panel of panels) {
      if (panel.canvas.hidden) continue;
      measure(panel);
      const c = scale(panel);
      frame(panel, c);
      c.save();
      c.beginPath(); c.rect(margin.left, margin.top, panel.w, panel.h); c.clip();
      behind(panel, c);
      c.lineJoin = "bevel";
      for (const k of drawn(panel)) {
        c.strokeStyle = colour(k);
        c.lineWidth = k === state.reference ? 1.8 : 1.2;
        curve(panel, c, rows[k]);
      }
      if (state.at !== null) {
        const x = panel.px(axis[state.at]);
        c.strokeStyle = style("--soft"); c.lineWidth = 1;
        c.beginPath(); c.moveTo(x, margin.top); c.lineTo(x, margin.top + panel.h); c.stroke();
      }
      if (state.drag) {
        const [a, b] = [state.drag.from, state.drag.to];
        c.fillStyle = style("--drag");
        c.fillRect(Math.min(a, b), margin.top, Math.abs(b - a), panel.h);
      }
      c.restore();
    }
    swatches.forEach((swatch, k) => { swatch.style.background = colour(k); });
    document.documentElement.dataset.view = state.view.join(" ");
  };

  const tell = wanted => {
    const box = byId("values");
    box.replaceChildren();
    byId("where").textContent = state.at === null ? "" : `${data.x_label}: ${written(axis[state.at])}`;
    if (state.at === null) return;
    let told = [...state.shown].filter(k => Number.isFinite(rows[k][state.at]));
    const unseen = Math.max(0, told.length - MOST_TOLD);
    if (unseen) {
      const away = k => Math.abs(rows[k][state.at] - wanted);
      told = told.sort((a, b) => away(a) - away(b)).slice(0, MOST_TOLD);
    }
    for (const k of told) {
      const line = document.createElement("tr");
      const cells = [data.names[k], written(rows[k][state.at])];
      if (state.reference !== null) cells.push(k === state.reference ? "" : written(rows[k][state.at] - rows[state.reference][state.at]));
      for (const text of cells) line.insertCell().textContent = text;
      box.append(line);
    }
    if (unseen) box.insertRow().insertCell().textContent = `and ${unseen} farther from the pointer`;
  };

  const look = (low, high) => {
    const least = (whole[1] - whole[0]) / Math.max(20, axis.length) * 2;
    if (high - low < least) { const middle = (low + high) / 2; low = middle - least / 2; high = middle + least / 2; }
    const span = Math.min(high - low, whole[1] - whole[0]);
    low = Math.min(Math.max(low, whole[0]), whole[1] - span);
    state.view = [low, low + span];
    draw();
  };
  const zoom = (factor, centre) => look(centre - (centre - state.view[0]) * factor, centre + (state.view[1] - centre) * factor);

  for (const panel of panels) {
    const { canvas } = panel;
    const place = event => Math.min(Math.max(event.clientX - canvas.getBoundingClientRect().left, margin.left), margin.left + panel.w);
    canvas.addEventListener("wheel", event => {
      event.preventDefault();
      zoom(event.deltaY < 0 ? 0.8 : 1.25, panel.x(place(event)));
    }, { passive: false });
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      state.drag = { from: place(event), to: place(event) };
    });
    canvas.addEventListener("pointermove", event => {
      if (state.drag) state.drag.to = place(event);
      state.at = nearest(panel.x(place(event)));
      const up = event.clientY - canvas.getBoundingClientRect().top;
      draw();
      tell(panel.high - (up - margin.top) / panel.h * (panel.high - panel.low));
    });
    canvas.addEventListener("pointerup", () => {
      const drag = state.drag;
      state.drag = null;
      if (drag && Math.abs(drag.to - drag.from) > 5) {
        const ends = [panel.x(drag.from), panel.x(drag.to)];
        look(Math.min(...ends), Math.max(...ends));
      } else draw();
    });
    canvas.addEventListener("pointerleave", () => { if (!state.drag) { state.at = null; draw(); tell(0); } });
    canvas.addEventListener("dblclick", () => look(...whole));
    canvas.addEventListener("keydown", event => {
      const [low, high] = state.view, middle = (low + high) / 2, step = (high - low) / 10 * (data.down ? -1 : 1);
      const act = {
        "+": () => zoom(0.8, middle), "-": () => zoom(1.25, middle), "0": () => look(...whole),
        ArrowLeft: () => look(low - step, high - step), ArrowRight: () => look(low + step, high + step),
      }[event.key];
      if (act) { event.preventDefault(); act(); }
    });
  }

  const list = byId("spectra");
  data.names.forEach((name, k) => {
    const item = document.createElement("li"), label = document.createElement("label");
    const box = document.createElement("input"), swatch = document.createElement("span"), text = document.createElement("bdi");
    box.type = "checkbox"; box.checked = true;
    swatch.className = "swatch";
    text.textContent = name;
    box.addEventListener("change", () => { if (box.checked) state.shown.add(k); else state.shown.delete(k); draw(); });
    label.append(box, swatch, text);
    item.append(label);
    list.append(item);
    boxes.push(box);
    swatches.push(swatch);
    byId("reference").add(new Option(name, String(k)));
  });
  const key = [...bands.map(band => [band.label || "band", band.colour + "40"]), ...(data.masks.length ? [["masked, not judged", style("--mask")]] : [])];
  for (const [text, tint] of key) {
    const entry = document.createElement("span"), patch = document.createElement("span");
    patch.className = "patch";
    patch.style.background = tint;
    entry.append(patch, text);
    byId("key").append(entry);
  }
  const all = on => { boxes.forEach((box, k) => { if (!list.children[k].hidden) { box.checked = on; if (on) state.shown.add(k); else state.shown.delete(k); } }); draw(); };
  byId("all").addEventListener("click", () => all(true));
  byId("none").addEventListener("click", () => all(false));
  byId("reset").addEventListener("click", () => look(...whole));
  byId("filter").addEventListener("input", event => {
    const wanted = event.target.value.toLowerCase();
    data.names.forEach((name, k) => { list.children[k].hidden = !name.toLowerCase().includes(wanted); });
  });
  byId("reference").value = state.reference === null ? "" : String(state.reference);
  byId("reference").addEventListener("change", event => {
    state.reference = event.target.value === "" ? null : Number(event.target.value);
    draw();
  });
  new ResizeObserver(draw).observe(byId("overlay"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
  document.documentElement.dataset.ready = "yes";
})();
