const DATA = JSON.parse(document.getElementById("osteon-data").textContent);
const ROOT = document.documentElement;
const MONTH = 365.25 / 12;
// Solid and dashed patterns tell the arms apart where colour cannot.
const DASHES = [[], [9, 4], [2, 3], [12, 3, 2, 3], [5, 3], [16, 4], [7, 3, 2, 3, 2, 3], [1, 4]];
const shown = DATA.arms.map(() => true);

const colour = (name) => getComputedStyle(ROOT).getPropertyValue("--" + name).trim();
const armColour = (arm) => colour("arm-" + (arm % 8));
const dash = (arm) => DASHES[arm % DASHES.length];
const fill = (text, fields) => text.replace(/\{(\w+)\}/g, (_, key) => fields[key]);
const minus = (text) => text.replace("-", "−");

/** A value with as many decimals as its size deserves. */
function number(value) {
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 || size < 5e-4 ? 2 : 3;
  const text = size >= 1e6 ? value.toExponential(2) : value.toFixed(decimals);
  return minus(/^-0\.?0*$/.test(text) ? text.slice(1) : text);
}

/** Time of a clock in the unit of its axis, from days. */
const onClock = (clock, day) => day / (clock === "weeks" ? 7 : MONTH);

function when(clock, x) {
  const day = Math.round(x * (clock === "weeks" ? 7 : MONTH));
  const text = minus(x.toFixed(1)).replace("−0.0", "0.0");
  return clock === "weeks"
    ? fill(DATA.words.week_day, { week: text, day })
    : fill(DATA.words.month_day, { month: text, day: minus(String(day)) });
}

function element(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** A short piece of an arm's line, drawn into an empty element. */
function swatch(node, arm) {
  const space = "http://www.w3.org/2000/svg";
  const image = document.createElementNS(space, "svg");
  const line = document.createElementNS(space, "line");
  image.setAttribute("width", "26");
  image.setAttribute("height", "8");
  const look = { x1: 0, y1: 4, x2: 26, y2: 4, "stroke-width": 3, stroke: armColour(arm), "stroke-dasharray": dash(arm).join(" ") };
  for (const [key, value] of Object.entries(look)) line.setAttribute(key, value);
  image.append(line);
  node.replaceChildren(image);
}

/** Text cut with an ellipsis to fit a width of a canvas. */
function clip(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let letters = [...text];
  while (letters.length && context.measureText(letters.join("") + "…").width > width) letters.pop();
  return letters.length ? letters.join("") + "…" : "";
}

const fontFamily = () => getComputedStyle(document.body).fontFamily;
const font = (size, weight = "") => `${weight} ${size}px ${fontFamily()}`.trim();
