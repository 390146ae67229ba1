// Where one looks from, and pictures of it.
const turnUp = up => {
  camera.up = up;
  byId("up").value = up;
  draw();
};
const lookFrom = (azimuth, elevation) => {
  camera.azimuth = azimuth * Math.PI / 180;
  camera.elevation = elevation * Math.PI / 180;
  draw();
};
const picture = () => {
  drawScene();
  return printed().toDataURL("image/png");
};
const savePicture = () => {
  drawScene();
  printed().toBlob(blob => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${data.title.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "motion"}_frame_${shownFrame(state.frame)}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }, "image/png");
};
const listenView = () => {
  byId("up").addEventListener("change", event => turnUp(event.target.value));
  byId("parallel").addEventListener("change", event => { camera.perspective = !event.target.checked; draw(); });
  byId("save").addEventListener("click", savePicture);
  byId("help").addEventListener("click", () => byId("keys").showModal());
  byId("keys-close").addEventListener("click", () => byId("keys").close());
};
const tellNotes = told => {
  byId("notes").hidden = !told.length;
  for (const text of told) {
    const item = document.createElement("li");
    item.textContent = text;
    byId("notes-list").append(item);
  }
};
