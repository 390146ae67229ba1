// Colours: those of the page, and scales of them.
const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const paint = {};
const AXIS_COLOURS = ["#D55E00", "#009E73", "#0072B2"];
const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

// For dark paper.
const lighter = colour => `rgb(${[1, 3, 5].map(i => Math.round(parseInt(colour.slice(i, i + 2), 16) * 0.62 + 97)).join(",")})`;
const tinted = colour => isDark() ? lighter(colour) : colour;
const readColours = () => {
  for (const name of ["paper", "scene", "ink", "soft", "line", "link", "other", "gap"]) paint[name] = style("--" + name);
  paint.axes = AXIS_COLOURS.map(tinted);
};

// Viridis, which stays in order for colour-blind readers and in grey.
const RAMP = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121],
  [110, 206, 88], [181, 222, 43], [253, 231, 37]];
const ramp = share => {
  const at = Math.max(0, Math.min(1, share)) * (RAMP.length - 1), low = Math.min(RAMP.length - 2, Math.floor(at));
  return `rgb(${RAMP[low].map((value, i) => Math.round(value + (RAMP[low + 1][i] - value) * (at - low))).join(",")})`;
};
