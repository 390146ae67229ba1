"use strict";
// Everything here makes text nodes and sets properties; nothing is ever parsed as HTML.
(() => {
  const ROWS = 50, TILES = 48;
  const SIGNS = { done: "✓", failed: "×", blocked: "■", interrupted: "‖", cancelled: "–", skipped: "»", running: "▸", pending: "○" };
  const RANK = { failed: 0, interrupted: 1, blocked: 2, cancelled: 3, running: 4, pending: 5, skipped: 6, done: 7 };
  const PICTURE = /\.(png|jpe?g|gif|webp|svg)$/i;
  const order = new Intl.Collator("en", { numeric: true });
  const byId = (id) => document.getElementById(id);

  function make(tag, properties, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (name.includes("-") || name === "role") node.setAttribute(name, value);
      else node[name] = value;
    }
    for (const child of children) if (child !== null && child !== undefined) node.append(child);
    return node;
  }

  // ---- the data ----

  async function load() {
    let data = JSON.parse(byId("data").textContent);
    if (data.z !== undefined) {
      const bytes = Uint8Array.from(atob(data.z), (c) => c.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      data = JSON.parse(await new Response(stream).text());
    }
    return data;
  }

  function eachValue(column, visit) {
    if (Array.isArray(column)) column.forEach((value, i) => { if (value !== null) visit(i, value); });
    else if (column.d) column.i.forEach((place, i) => { if (place >= 0) visit(i, column.d[place]); });
    else column.s.forEach((i, at) => visit(i, column.v[at]));
  }

  function jobsOf(data) {
    const jobs = Array.from({ length: data.n }, (_, index) => ({ index, attempts: 0, task: "", maps: {} }));
    for (const [field, column] of Object.entries(data.fields)) eachValue(column, (i, value) => { jobs[i][field] = value; });
    for (const [kind, columns] of Object.entries(data.maps)) {
      for (const job of jobs) job.maps[kind] = new Map();
      for (const [name, column] of columns) eachValue(column, (i, value) => jobs[i].maps[kind].set(name, value));
    }
    const tries = Array.from({ length: data.tries.n }, () => ({}));
    for (const [field, column] of Object.entries(data.tries.fields)) eachValue(column, (i, value) => { tries[i][field] = value; });
    for (const attempt of tries) (jobs[attempt.job].tries ??= []).push(attempt);
    return jobs;
  }

  // A metric that is NaN or infinite comes as a list of one word.
  const metric = (job, name) => {
    const value = job.maps.metrics.get(name);
    return Array.isArray(value) ? Number(value[0]) : value;
  };

  // ---- words ----

  function visible(text) {
    return String(text)
      .replace(/[\x00-\x1f\x7f]/g, (c) => (c === "\x7f" ? "␡" : String.fromCharCode(0x2400 + c.charCodeAt(0))))
      .replace(/[\ud800-\udfff]/gu, (c) => "\\u" + c.charCodeAt(0).toString(16)) // lone halves only
      .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  }

  function shown(value) {
    if (value === undefined || value === null) return "–";
    if (value === true) return "yes";
    if (value === false) return "no";
    if (typeof value !== "number") return visible(value);
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  }

  function duration(s) {
    if (s === undefined) return "–";
    if (s < 1) return s.toFixed(3) + " s";
    if (s < 59.95) return s.toFixed(1) + " s";
    const whole = Math.round(s);
    if (whole < 3600) return Math.floor(whole / 60) + " min " + String(whole % 60).padStart(2, "0") + " s";
    const minutes = Math.round(s / 60);
    return Math.floor(minutes / 60) + " h " + String(minutes % 60).padStart(2, "0") + " min";
  }

  function size(bytes) {
    if (bytes === undefined) return "";
    if (bytes < 1e3) return bytes + " B";
    if (bytes < 1e6) return (bytes / 1e3).toFixed(1) + " kB";
    return (bytes / 1e6).toFixed(1) + " MB";
  }

  const state = (word) => make("span", { className: "state " + (word in SIGNS ? word : "") },
    make("span", { className: "sign", "aria-hidden": "true" }, SIGNS[word] || "·"), word);

  // ---- links: relative to this file, whatever the name holds ----

  let prefix = "";
  function link(path) {
    // A lone low surrogate stands for a byte of a file name that is no UTF-8.
    const url = path.split("/").map((part) => part.split(/([\ud800-\udfff])/u).map((piece) => {
      const code = piece.length === 1 ? piece.charCodeAt(0) : 0;
      if (code >= 0xdc80 && code <= 0xdcff) return "%" + (code - 0xdc00).toString(16).toUpperCase();
      return code >= 0xd800 && code <= 0xdfff ? "%3F" : encodeURIComponent(piece);
    }).join("")).join("/");
    return prefix + "./" + url;
  }
  const anchor = (path, text) => make("a", { href: link(path) }, make("bdi", {}, visible(text || path)));

  // ---- the view: what is found, in which order ----

  let jobs = [], thumbnails = {}, found = [], page = 0, tilePage = 0;
  const open = new Set(), states = new Set();
  let sort = { key: "plan", down: false };
  let columns = [];

  function makeColumns() {
    columns = [
      { key: "name", label: "job", value: (j) => j.name },
      { key: "state", label: "state", value: (j) => RANK[j.state] ?? 9 },
      { key: "elapsed", label: "time", unit: "s", numeric: true, value: (j) => j.elapsed, show: (j) => (j.elapsed === undefined ? "–" : j.elapsed.toFixed(3)) },
      { key: "memory", label: "memory", unit: "MB", numeric: true, value: (j) => j.memory, show: (j) => (j.memory === undefined ? "–" : j.memory.toFixed(1)) },
    ];
    if (jobs.some((j) => j.attempts > 1)) columns.push({ key: "attempts", label: "tries", numeric: true, value: (j) => j.attempts });
    if (jobs.some((j) => j.warned)) columns.push({ key: "warned", label: "warnings", numeric: true, value: (j) => j.warned, show: (j) => String(j.warned || "") });
    const names = new Map();
    for (const job of jobs) for (const name of job.maps.metrics.keys()) {
      const seen = names.get(name) || { values: new Set(), n: 0, numeric: true };
      const value = metric(job, name);
      if (seen.values.size < 2) seen.values.add(Number.isNaN(value) ? "NaN" : value);
      seen.n += 1;
      seen.numeric = seen.numeric && typeof value === "number";
      names.set(name, seen);
    }
    const same = [];
    // What most jobs have comes first: a metric of one job alone would push it out of the window.
    for (const [name, seen] of [...names].sort((a, b) => b[1].n - a[1].n)) {
      if (seen.n > 1 && seen.values.size === 1) same.push(visible(name) + " = " + shown([...seen.values][0]));
      else columns.push({ key: "m:" + name, label: visible(name), numeric: seen.numeric, value: (j) => metric(j, name), exact: true });
    }
    if (same.length) {
      byId("constants").textContent = "The same wherever measured: " + same.join(", ") + ".";
      byId("constants").hidden = false;
    }
  }

  function comparison(query) {
    const parts = /^\s*(.+?)\s*(<=|>=|!=|<|>|=)\s*(\S+)\s*$/.exec(query);
    if (!parts) return null;
    const wanted = parts[1].toLowerCase();
    const column = columns.find((c) => (c.key === "m:" + parts[1]) || c.label.toLowerCase() === wanted || c.key === wanted);
    const limit = Number(parts[3]);
    if (!column || !column.numeric || Number.isNaN(limit)) return null;
    const tests = { "<": (v) => v < limit, ">": (v) => v > limit, "<=": (v) => v <= limit, ">=": (v) => v >= limit, "=": (v) => v === limit, "!=": (v) => v !== limit };
    return (job) => { const v = column.value(job); return typeof v === "number" && tests[parts[2]](v); };
  }

  const hay = (job) => job.hay ??= [job.name, job.task, job.state, job.category, job.reason, job.message, job.group, ...(job.warnings || []), ...job.maps.metadata.values()].filter((x) => x !== undefined && x !== null).join("\n").toLowerCase();

  function find() {
    const query = byId("query").value.trim();
    const task = byId("task").value;
    const compare = comparison(query);
    const words = query.toLowerCase();
    found = jobs.filter((job) => (!states.size || states.has(job.state)) && (!task || job.task === task)
      && (!query || (compare ? compare(job) : hay(job).includes(words))));
    const column = columns.find((c) => c.key === sort.key);
    if (column) {
      const way = sort.down ? -1 : 1;
      const known = (v) => v !== undefined && v !== null && !Number.isNaN(v);
      found.sort((a, b) => {
        const x = column.value(a), y = column.value(b);
        if (!known(x) || !known(y)) return (known(y) - known(x)) || a.index - b.index; // the unknown last, either way
        const d = typeof x === "number" && typeof y === "number" ? (x < y ? -1 : x > y ? 1 : 0) : order.compare(x, y);
        return way * d || a.index - b.index;
      });
    }
  }

  function refresh() {
    find();
    page = 0;
    tilePage = 0;
    draw();
    drawGallery();
  }

  // ---- the table ----

  function drawHead() {
    byId("head").replaceChildren(...columns.map((column) => {
      const cell = make("th", { className: column.numeric ? "num" : "", scope: "col" });
      if (sort.key === column.key) cell.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      const button = make("button", { type: "button" }, make("bdi", {}, column.label), column.unit ? make("i", {}, " " + column.unit) : null);
      button.addEventListener("click", () => {
        // First click: ascending (for numbers: largest first), second: the other way, third: plan order.
        const first = Boolean(column.numeric);
        if (sort.key !== column.key) sort = { key: column.key, down: first };
        else if (sort.down === first) sort = { key: column.key, down: !first };
        else sort = { key: "plan", down: false };
        drawHead();
        refresh();
      });
      cell.append(button);
      return cell;
    }));
  }

  function draw() {
    const rows = [];
    for (const job of found.slice(page * ROWS, (page + 1) * ROWS)) {
      rows.push(row(job));
      if (open.has(job.index)) rows.push(detail(job));
    }
    byId("rows").replaceChildren(...rows);
    byId("found").textContent = found.length === jobs.length ? `${jobs.length}` : `${found.length} of ${jobs.length}`;
    drawPager(byId("pager"), page, ROWS, (to) => { page = to; draw(); });
  }

  function why(job) {
    const text = job.category + (job.reason ? " / " + visible(job.reason) : "");
    return make("span", { className: "small why" + (text.length < 36 ? " short" : "") }, text);
  }

  function row(job) {
    const tr = make("tr", { className: "row", id: "job-" + job.index });
    for (const column of columns) {
      const cell = make("td", { className: column.numeric ? "num" : "" });
      if (column.key === "name") {
        cell.append(make("button", { type: "button", className: "open", "aria-expanded": String(open.has(job.index)) }, make("bdi", {}, visible(job.name))));
      } else if (column.key === "state") {
        cell.append(state(job.state));
        if (job.category) cell.append(why(job));
      } else {
        cell.textContent = column.show ? column.show(job) : shown(column.value(job));
        if (column.exact && typeof column.value(job) === "number") cell.title = String(column.value(job));
      }
      tr.append(cell);
    }
    tr.addEventListener("click", (event) => {
      if (event.target.closest("a") || String(getSelection())) return;
      toggle(job);
    });
    return tr;
  }

  function toggle(job) {
    if (!open.delete(job.index)) open.add(job.index);
    draw();
    byId("job-" + job.index)?.querySelector("button")?.focus({ preventScroll: true });
  }

  function drawPager(box, at, each, go) {
    const pages = Math.ceil(found.length / each);
    box.hidden = pages < 2;
    if (pages < 2) return box.replaceChildren();
    const button = (text, to) => {
      const b = make("button", { type: "button", disabled: to < 0 || to >= pages || to === at }, text);
      b.addEventListener("click", () => go(to));
      return b;
    };
    box.replaceChildren(button("« first", 0), button("‹ back", at - 1),
      make("span", {}, `${at * each + 1} to ${Math.min(found.length, (at + 1) * each)} of ${found.length}`),
      button("on ›", at + 1), button("last »", pages - 1));
  }

  // ---- one job: how it came about ----

  function block(title, entries, show) {
    if (!entries.length) return null;
    const list = make("dl");
    for (const [name, value] of entries) list.append(make("dt", {}, make("bdi", {}, visible(name))), make("dd", {}, show ? show(value, name) : make("bdi", {}, plain(value))));
    return make("div", {}, make("h4", {}, title), list);
  }
  const plain = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : typeof value === "number" ? String(value) : shown(value));

  function source(value) {
    const box = make("span");
    for (const path of Array.isArray(value) ? value.slice(0, 50) : [value]) {
      box.append(make("div", {}, typeof path === "string" ? make("bdi", {}, visible(path)) : make("bdi", {}, JSON.stringify(path))));
    }
    if (Array.isArray(value) && value.length > 50) box.append(`and ${value.length - 50} more`);
    return box;
  }

  function attempts(list, job) {
    const why = (a) => {
      const text = [a.category, a.reason, a.signal === a.reason ? undefined : a.signal].filter((x) => x !== undefined).map(visible).join(" / ");
      return a.message === undefined ? text : make("span", {}, text, make("span", { className: "message" }, a.message));
    };
    const parts = [
      ["try", (a) => String(a.number), "num"],
      ["ended as", (a) => state(a.state)],
      ["began UTC", (a) => visible(a.began)],
      ["took", (a) => duration(a.elapsed), "num"],
      ["peak MB", (a) => (a.memory === undefined ? "" : a.memory.toFixed(1)), "num"],
      ["why", why, "reason"],
    ].filter(([, show]) => list.some((a) => show(a) !== ""));
    const head = make("tr", {}, ...parts.map(([label, , kind]) => make("th", { className: kind || "", scope: "col" }, label)));
    const rows = list.map((a) => make("tr", {}, ...parts.map(([, show, kind]) => make("td", { className: kind || "" }, show(a)))));
    const unshown = job.attempts > list.length && list[0].number > 1 ? " (the last " + list.length + ")" : "";
    return make("div", { className: "across scroll" }, make("h4", {}, "Tries" + unshown), make("table", { className: "tries" }, make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  function detail(job) {
    const maps = job.maps;
    const box = make("div", { className: "inside" });
    const add = (node) => node && box.append(node);
    if (job.message) add(make("div", { className: "across message" }, job.message));
    const uri = thumbnails[job.index];
    if (uri) add(make("div", {}, make("img", { src: uri, alt: "thumbnail" })));
    add(block("This job", [["task", job.task], ["group", job.group], ["tries", job.attempts], ["time", duration(job.elapsed)],
      ["peak memory", job.memory === undefined ? undefined : job.memory + " MB"], ["key", job.key]].filter((e) => e[1] !== undefined)));
    if (job.tries) add(attempts(job.tries, job));
    add(block("Measured", [...maps.metrics.keys()].map((name) => [name, metric(job, name)])));
    add(block("Parameters", [...maps.params]));
    add(block("Inputs", [...maps.inputs], source));
    add(block("Outputs", [...maps.paths], (path, name) => make("span", {}, anchor(path), " ", make("span", { className: "small" }, size(maps.bytes.get(name))),
      make("span", { className: "digest" }, shown(maps.digests.get(name))))));
    add(block("Stages", [...maps.stages].map(([name, s]) => [name, duration(s)])));
    add(block("Labels", [...maps.metadata]));
    box.querySelectorAll("dd").forEach((dd) => { if (dd.textContent === job.key) dd.className = "digest"; });
    if (job.items) {
      const [n, done, left] = job.items;
      const list = make("ul", { className: "items" }, ...left.map(([name, word, category, reason, message]) =>
        make("li", {}, make("bdi", {}, visible(name)), ": ", [word, category, reason].filter(Boolean).map(visible).join(" / "), message ? make("span", { className: "message" }, " " + message) : null)));
      add(make("div", { className: "across" }, make("h4", {}, `Items: ${done} of ${n} done`), list));
    }
    if (job.warnings) {
      const list = make("ul", { className: "items" }, ...job.warnings.map((text) => make("li", { className: "message" }, text)));
      if (job.warned > job.warnings.length) list.append(make("li", {}, `and ${job.warned - job.warnings.length} more`));
      add(make("div", { className: "across" }, make("h4", {}, "Warnings"), list));
    }
    if (job.log) {
      const tail = byId("tail-" + job.index);
      add(make("div", { className: "across" }, make("h4", {}, "Log ", anchor(job.log)), tail ? make("pre", { className: "log" }, tail.textContent) : null));
    }
    return make("tr", { className: "detail" }, make("td", { colSpan: columns.length }, box));
  }

  // ---- the gallery and the large picture ----

  const pdf = (job) => [...job.maps.paths.values()].find((path) => /\.pdf$/i.test(path));
  const picture = (job) => [...job.maps.paths.values()].find((path) => PICTURE.test(path));
  const pictured = () => found.filter((job) => job.thumbnail || picture(job) || job.state === "failed");

  function drawGallery() {
    const list = pictured();
    byId("shown").textContent = list.length ? String(list.length) : "none of the jobs found has one";
    byId("gallery").replaceChildren(...list.slice(tilePage * TILES, (tilePage + 1) * TILES).map(tile));
    const all = found;
    found = list;
    drawPager(byId("gallery-pager"), tilePage, TILES, (to) => { tilePage = to; drawGallery(); });
    found = all;
  }

  function tile(job) {
    const uri = thumbnails[job.index], path = picture(job);
    let top;
    if (uri) {
      top = make("button", { type: "button", title: "larger" }, make("img", { src: uri, alt: visible(job.name), loading: "lazy" }));
      top.addEventListener("click", () => view(job));
    } else if (job.state === "failed") {
      top = make("div", { className: "none" }, [job.category || "failed", job.reason].filter(Boolean).map(visible).join(" / "));
    } else {
      const missing = uri === null ? "the thumbnail is not there" : null;
      top = make("div", { className: "none" }, path ? anchor(path, missing ? missing + ": open the picture" : "open the picture") : missing || "no picture");
      top.querySelector("a")?.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        view(job);
      });
    }
    return make("figure", { className: "tile" }, top, make("figcaption", {},
      make("a", { href: "#job-" + job.index }, make("bdi", {}, visible(job.name))), job.state === "done" ? null : state(job.state)));
  }

  // Panels name jobs; their thumbnails are those of the gallery, and beyond these the files, as far as they are there.
  function drawGrids() {
    for (const place of document.querySelectorAll("a[data-thumbnail]")) {
      const job = jobs[Number(place.dataset.thumbnail)];
      const uri = thumbnails[job.index] ?? (thumbnails[job.index] === null || !job.thumbnail ? null : link(job.thumbnail));
      if (!uri) continue;
      const image = make("img", { alt: visible(job.name), loading: "lazy", src: uri });
      const button = make("button", { type: "button", title: visible(job.name) }, image);
      button.addEventListener("click", () => view(job));
      image.addEventListener("error", () => button.replaceWith(place));
      place.replaceWith(button);
    }
  }

  let viewed = null;
  function view(job) {
    viewed = job;
    const path = picture(job), image = byId("viewer-picture"), name = byId("viewer-name");
    const paper = path ? undefined : pdf(job);
    byId("viewer-note").textContent = paper ? "The picture itself is a PDF, which no page shows: open it by its name. This is its thumbnail." : "";
    image.alt = visible(job.name);
    image.src = path ? link(path) : thumbnails[job.index];
    name.textContent = visible(job.name);
    if (path || paper) name.href = link(path || paper); else name.removeAttribute("href");
    if (!byId("viewer").open) byId("viewer").showModal();
  }
  function step(by) {
    const list = pictured().filter((job) => thumbnails[job.index] || picture(job));
    const at = list.indexOf(viewed);
    if (at >= 0 && list.length) view(list[(at + by + list.length) % list.length]);
  }

  // ---- what the reader does ----

  function showJob() {
    const match = /^#job-(\d+)$/.exec(location.hash);
    const job = match && jobs[Number(match[1])];
    if (!job) return;
    if (!found.includes(job)) {
      byId("query").value = "";
      byId("task").value = "";
      states.clear();
      drawChips();
      find();
      drawGallery();
    }
    page = Math.floor(found.indexOf(job) / ROWS);
    open.add(job.index);
    draw();
    byId("job-" + job.index).scrollIntoView({ block: "center" });
  }

  function drawChips() {
    const counts = new Map();
    for (const job of jobs) counts.set(job.state, (counts.get(job.state) || 0) + 1);
    byId("states").replaceChildren(...Object.keys(SIGNS).filter((word) => counts.has(word)).map((word) => {
      const chip = make("button", { type: "button", "aria-pressed": String(states.has(word)) }, state(word), ` ${counts.get(word)}`);
      chip.addEventListener("click", () => { if (!states.delete(word)) states.add(word); drawChips(); refresh(); });
      return chip;
    }));
  }

  async function begin() {
    const data = await load();
    prefix = data.prefix;
    jobs = jobsOf(data);
    thumbnails = JSON.parse(byId("thumbnails").textContent);
    makeColumns();
    const longest = jobs.reduce((most, job) => Math.max(most, job.name.length), 0);
    byId("table").style.setProperty("--name", Math.min(34, longest + 4) + "ch");
    const tasks = [...new Set(jobs.map((job) => job.task))];
    byId("task").append(make("option", { value: "" }, "every task"), ...tasks.map((task) => make("option", { value: task }, visible(task))));
    byId("task").hidden = tasks.length < 2;
    byId("controls").hidden = byId("table").hidden = false;
    byId("pictures").hidden = !jobs.some((job) => job.thumbnail || picture(job));
    drawChips();
    drawHead();
    refresh();
    drawGrids();

    let later = 0;
    byId("query").addEventListener("input", () => { clearTimeout(later); later = setTimeout(refresh, 120); });
    byId("task").addEventListener("change", refresh);
    for (const a of document.querySelectorAll("a[data-state]")) a.addEventListener("click", () => {
      states.clear();
      states.add(a.dataset.state);
      byId("query").value = a.dataset.query || "";
      drawChips();
      refresh();
    });
    // A second click on the same link changes no hash, so clicks are heard beside hash changes.
    document.addEventListener("click", (event) => {
      const a = event.target.closest && event.target.closest("a[href^='#job-']");
      if (a && a.getAttribute("href") === location.hash) showJob();
    });
    addEventListener("hashchange", showJob);
    byId("viewer-back").addEventListener("click", () => step(-1));
    byId("viewer-on").addEventListener("click", () => step(1));
    byId("viewer-close").addEventListener("click", () => byId("viewer").close());
    byId("viewer").addEventListener("keydown", (event) => { if (event.key === "ArrowLeft") step(-1); if (event.key === "ArrowRight") step(1); });
    byId("viewer-picture").addEventListener("error", () => {
      const uri = viewed && thumbnails[viewed.index];
      if (byId("viewer-picture").src === uri) return;
      byId("viewer-note").textContent = "The picture itself is not beside this report" + (uri ? "; this is its thumbnail." : ".");
      if (uri) byId("viewer-picture").src = uri;
    });
    showJob();
    document.documentElement.dataset.ready = "yes";
  }

  if (byId("table")) begin().catch((error) => {
    byId("found").textContent = "could not be shown by this browser (" + error.message + "); batch_summary.csv has the same rows";
  });
})();
