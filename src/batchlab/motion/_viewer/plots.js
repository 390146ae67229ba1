// Which plots there are: residuals of bodies, and of the chosen marker.
const overview = { canvas: byId("overview"), title: "rms residual, mm", lines: [], strips: [], seen: null };
const detail = { canvas: byId("detail"), title: "", lines: [], strips: [], seen: null };
overview.lines = bodies.map(body => ({ name: body.name, colour: () => body.colour, values: rmsOf(body) }));
overview.strips = bodies.map(body => ({ covered: body.covered, colour: () => body.colour }));
if (!bodies.length) {
  // Nothing is fitted: how many markers are seen.
  const counts = Float32Array.from({ length: FRAMES }, (_, k) => markers.filter(marker => measured(marker, k)).length);
  overview.title = "markers seen";
  overview.lines = [{ name: "", colour: () => paint.link, values: counts }];
}
overview.top = topOf(overview.lines);
const COMPONENTS = {
  length: { names: [""], of: off => [size(off)] },
  laboratory: { names: ["x", "y", "z"], of: off => off },
  body: { names: ["x", "y", "z"], of: (off, marker, k) => pose(bodies[marker.body], k).axes.map(axis => dot(axis, off)) },
};
const plotMarker = () => {
  const marker = state.selected;
  byId("detail-box").hidden = !marker;
  if (!marker) return;
  const free = marker.body === null, kind = COMPONENTS[free ? "laboratory" : byId("component").value];
  const vector = free ? measured : residual, scale = free ? 1 : 1000;
  detail.lines = kind.names.map((name, i) => ({
    name, colour: () => kind.names.length === 1 ? paint.ink : paint.axes[i],
    values: Float32Array.from({ length: FRAMES }, (_, k) => {
      const found = vector(marker, k);
      return found ? scale * kind.of(found, marker, k)[i] : NaN;
    }),
  }));
  detail.title = free ? "place, m" : "residual, mm";
  detail.floating = free;
  detail.top = free ? Infinity : topOf(detail.lines);
  detail.seen = Uint8Array.from({ length: FRAMES }, (_, k) => measured(marker, k) ? 1 : 0);
  byId("component").hidden = free;
  byId("detail-name").textContent = marker.name;
  byId("detail-facts").textContent = [
    Number.isNaN(marker.rms) ? "" : `rms ${written(+marker.rms.toPrecision(3))} mm`,
    `not seen in ${written(+(100 * marker.missing).toPrecision(3))} %`,
  ].filter(Boolean).join(", ");
};
const drawCharts = () => {
  drawChart(overview);
  if (state.selected) drawChart(detail);
};
