// Frames go by: playing, stepping, and drawing what has changed.
let waiting = false;
const draw = () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawNow();
  });
};
const drawNow = () => {
  drawScene();
  drawCharts();
  const scrub = byId("scrub");
  scrub.value = state.frame;
  scrub.setAttribute("aria-valuetext", `${times[state.frame].toFixed(3)} seconds`);
  if (document.activeElement !== byId("frame")) byId("frame").value = shownFrame(state.frame);
};
const goTo = frame => {
  state.frame = Math.max(0, Math.min(FRAMES - 1, Math.round(frame)));
  state.clock = times[state.frame];
  const [t0, t1] = state.range, t = times[state.frame];
  if (t < t0 || t > t1) {  // zoomed in: the range goes along
    const start = Math.max(times[0], Math.min(times[FRAMES - 1] - (t1 - t0), t - (t1 - t0) * (t < t0 ? 0.9 : 0.1)));
    state.range = [start, start + t1 - t0];
  }
  draw();
};
const play = on => {
  if (on && state.frame === FRAMES - 1) goTo(0);
  state.playing = on;
  byId("play").textContent = on ? "❚❚" : "▶";
  byId("play").setAttribute("aria-label", on ? "Pause" : "Play");
  if (!on) return;
  let before = null;
  const tick = now => {
    if (!state.playing) return;
    if (before !== null) {
      const t = state.clock + (now - before) / 1000 * state.speed, end = times[FRAMES - 1];
      if (t >= end && !state.loop) { goTo(FRAMES - 1); play(false); return; }
      const clock = t >= end ? times[0] : t;
      goTo(frameAt(clock));
      state.clock = clock;  // between two frames
    }
    before = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
};
const choose = (element, index) => {
  element.selectedIndex = index;
  element.dispatchEvent(new Event("change"));
};
const inTurn = element => choose(element, (element.selectedIndex + 1) % element.options.length);
const faster = step => {
  const element = byId("speed");
  choose(element, Math.max(0, Math.min(element.options.length - 1, element.selectedIndex + step)));
};
const listenTime = () => {
  byId("play").addEventListener("click", () => play(!state.playing));
  byId("back").addEventListener("click", () => { play(false); goTo(state.frame - 1); });
  byId("on").addEventListener("click", () => { play(false); goTo(state.frame + 1); });
  byId("scrub").addEventListener("input", event => goTo(+event.target.value));
  byId("frame").addEventListener("change", event => goTo(+event.target.value / data.every));
  byId("speed").addEventListener("change", event => { state.speed = +event.target.value; });
  byId("loop").addEventListener("change", event => { state.loop = event.target.checked; });
};
const beginTime = () => {
  byId("scrub").max = FRAMES - 1;
  byId("frame").max = shownFrame(FRAMES - 1);
  byId("frame").step = data.every;
  byId("of").textContent = `of ${shownFrame(FRAMES - 1)}`;
};
