// How to read the picture: time, a bar, axes, colours and signs.
const drawKeys = () => {
  const small = camera.width < 560, { cell, height } = ground();
  drawTime();
  const bar = drawBar();
  if (state.show.grid && !small) {
    const up = camera.up.replace("-", "");
    const level = written((camera.up[0] === "-" ? -1 : 1) * +height.toPrecision(6) || 0);
    words(`grid ${lengthOf(cell)} at ${up} = ${level} m`, 24 + bar, camera.height - 14, paint.soft);
  }
  drawTriad();
  if (bodies.length) drawLegend(small);
};
const drawLegend = small => {
  const { width: w, height: h } = camera, wide = small ? 110 : 170, left = w - wide - 20, top = h - 34;
  if (state.colour === "residual") {
    for (let i = 0; i < wide; i++) {
      pen.fillStyle = ramp(i / (wide - 1));
      pen.fillRect(left + i, top, 1.5, 10);
    }
    pen.strokeStyle = paint.soft;
    pen.lineWidth = 1;
    pen.strokeRect(left, top, wide, 10);
    words("residual, mm", left + wide / 2, top - 6, paint.ink, "center");
    words("0", left, top + 24, paint.ink, "center");
    words(written(state.top / 2), left + wide / 2, top + 24, paint.ink, "center");
    words(`\u2265${written(state.top)}`, left + wide, top + 24, paint.ink, "center");
  } else {
    bodies.forEach((body, i) => {
      const y = h - 14 - 18 * (bodies.length - 1 - i);
      pen.fillStyle = body.colour;
      pen.fillRect(left, y - 9, 10, 10);
      words(body.name, left + 16, y);
    });
  }
  if (small) return;
  const y = 22;
  const signs = [
    ["measured", at => { disc(at, 5); pen.fillStyle = paint.soft; pen.fill(); stroke(paint.ink, 1); }],
    ["not seen", at => { disc(at, 5); stroke(paint.ink, 2); }],
    ["fitted", at => {
      pen.beginPath();
      pen.moveTo(at.x - 6, at.y); pen.lineTo(at.x + 6, at.y); pen.moveTo(at.x, at.y - 6); pen.lineTo(at.x, at.y + 6);
      stroke(paint.ink, 1.6);
    }],
    [`residual \u00d7${state.vectorScale}`, at => {
      pen.beginPath();
      pen.moveTo(at.x - 7, at.y); pen.lineTo(at.x + 7, at.y);
      pen.moveTo(at.x + 2, at.y - 4); pen.lineTo(at.x + 7, at.y); pen.lineTo(at.x + 2, at.y + 4);
      stroke(paint.ink, 1.8);
    }],
  ];
  const widths = signs.map(([text]) => 40 + pen.measureText(text).width);
  let x = Math.max(120, (w - widths.reduce((a, b) => a + b)) / 2);
  signs.forEach(([text, draw], i) => {
    draw({ x, y: y - 4 });
    words(text, x + 12, y, paint.soft);
    x += widths[i];
  });
};
