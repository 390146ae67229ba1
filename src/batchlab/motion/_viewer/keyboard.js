// Keys; each page adds its own.
const KEYS = {
  " ": () => play(!state.playing),
  ArrowLeft: event => { play(false); goTo(state.frame - (event.shiftKey ? 10 : 1)); },
  ArrowRight: event => { play(false); goTo(state.frame + (event.shiftKey ? 10 : 1)); },
  Home: () => goTo(0),
  End: () => goTo(FRAMES - 1),
  "[": () => faster(-1),
  "]": () => faster(1),
  "+": () => { approach(0.8); draw(); },
  "=": () => { approach(0.8); draw(); },
  "-": () => { approach(1.25); draw(); },
  u: () => inTurn(byId("up")),
  p: () => byId("parallel").click(),
  s: () => savePicture(),
  "?": () => byId("keys").showModal(),
};
const type = event => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  const tag = event.target.tagName, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const own = tag === "SELECT" || (tag === "INPUT" && event.target.type !== "checkbox");
  if (own && key !== "Escape") return;
  if (key === " " && (tag === "BUTTON" || tag === "SUMMARY" || tag === "INPUT")) return;
  const act = Object.hasOwn(KEYS, key) && KEYS[key];
  if (!act) return;
  event.preventDefault();
  act(event);
};
