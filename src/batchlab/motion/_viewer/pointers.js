// Mice, fingers and pens.
// One pointer turns (with shift or another button: shifts), two move and zoom, a press without a move selects.
const point = ({ at, hover, press }) => {
  const down = new Map();
  let moved = 0;
  const spread = () => {
    const [a, b] = [...down.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    if (!down.size) moved = 0;
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  });
  canvas.addEventListener("pointermove", event => {
    const before = down.get(event.pointerId), now = { x: event.offsetX, y: event.offsetY };
    if (!before) {
      const over = at(now.x, now.y);
      canvas.classList.toggle("over", over !== null);
      hover(over);
      return;
    }
    const dx = now.x - before.x, dy = now.y - before.y, was = down.size === 2 ? spread() : null;
    moved += Math.abs(dx) + Math.abs(dy);
    down.set(event.pointerId, now);
    if (was) {
      const is = spread();
      shift(is.x - was.x, is.y - was.y);
      if (is.apart > 0) approach(was.apart / is.apart);
    } else if (event.shiftKey || event.buttons & 6) shift(dx, dy);
    else if (moved > 3) goRound(dx, dy);
    draw();
  });
  const up = event => {
    const before = down.get(event.pointerId);
    down.delete(event.pointerId);
    if (before && !down.size && moved <= 3 && event.type === "pointerup" && event.button === 0) {
      press(at(event.offsetX, event.offsetY));
    }
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("contextmenu", event => event.preventDefault());
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    approach(Math.exp(Math.max(-1, Math.min(1, event.deltaY * 0.0015))));
    draw();
  }, { passive: false });
};

// In plots: press and drag to go there, turn the wheel to zoom.
const pointAtCharts = charts => {
  for (const chart of charts) {
    const sheet = chart.canvas;
    sheet.addEventListener("pointerdown", event => {
      sheet.setPointerCapture(event.pointerId);
      goTo(nearestFrame(chart.time(event.offsetX)));
    });
    sheet.addEventListener("pointermove", event => {
      if (event.buttons & 1) goTo(nearestFrame(Math.max(state.range[0], Math.min(state.range[1], chart.time(event.offsetX)))));
    });
    sheet.addEventListener("wheel", event => {
      event.preventDefault();
      zoomTime(Math.exp(Math.max(-1, Math.min(1, event.deltaY * 0.002))), chart.time(event.offsetX));
    }, { passive: false });
    sheet.addEventListener("dblclick", () => { state.range = [times[0], times[FRAMES - 1]]; draw(); });
  }
};
