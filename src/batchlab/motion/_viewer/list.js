// Rows of markers, body by body.
// Rows of markers, body by body.
const listMarkers = () => {
  const list = byId("markers");
  list.replaceChildren();
  const groups = bodies.map(body => ({ name: body.name, colour: body.colour, members: body.markers.map(index => markers[index]) }));
  const others = markers.filter(marker => marker.body === null);
  if (others.length) groups.push({ name: bodies.length ? "no body" : "markers", colour: null, members: others });
  for (const { name, colour, members } of groups) {
    const box = document.createElement("details"), title = document.createElement("summary");
    box.open = colour !== null || !bodies.length;
    if (colour) {
      const swatch = document.createElement("i");
      swatch.style.background = colour;
      title.append(swatch);
    }
    title.append(`${name} (${members.length})`);
    box.append(title);
    for (const marker of members) {
      const row = document.createElement("button");
      const [label, rms, missing] = [0, 1, 2].map(() => document.createElement("span"));
      row.type = "button";
      row.dataset.marker = marker.index;
      row.setAttribute("aria-pressed", String(state.selected === marker));
      row.title = marker.name;
      label.textContent = marker.label;
      rms.textContent = Number.isNaN(marker.rms) ? "" : written(+marker.rms.toPrecision(2));
      missing.textContent = written(+(100 * marker.missing).toPrecision(2));
      row.append(label, rms, missing);
      row.addEventListener("click", () => select(state.selected === marker ? null : marker));
      box.append(row);
    }
    list.append(box);
  }
};
