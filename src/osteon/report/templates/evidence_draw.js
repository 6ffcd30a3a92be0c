const DATA = JSON.parse(document.getElementById("osteon-data").textContent);
const C = DATA.columns;
const ROOT = document.documentElement;
const MONTH = 365.25 / 12;
const WHOLE_DAYS = 120;
const SPACE = "http://www.w3.org/2000/svg";
const EDGE = 3; // per cent of a drawing left free at its ends

const text = (name, i) => DATA.texts[C[name][i]];
const say = (key, fields = {}) => DATA.words[key].replace(/\{(\w+)\}/g, (_, name) => fields[name]);
const known = (value) => value !== null && Number.isFinite(value);

function node(tag, name, ...content) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...content.filter((one) => one !== "" && one !== null));
  return made;
}

function draw(tag, look, ...content) {
  const made = document.createElementNS(SPACE, tag);
  for (const [key, value] of Object.entries(look)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** A value with as many decimals as its size deserves. */
function figure(value) {
  const size = Math.abs(value);
  if (value === 0 || (size >= 0.01 && size < 1e6)) {
    return tick(+value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3));
  }
  const [mantissa, power] = value.toPrecision(3).split("e");
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const raised = power && [...String(+power)].map((one) => (one === "-" ? "⁻" : digits[one])).join("");
  if (!power) return tick(+mantissa);
  return +mantissa === 1 ? `10${raised}` : `${tick(+mantissa)} × 10${raised}`;
}

/** A number of an axis, without needless zeros. */
const tick = (value) => String(+value.toPrecision(7)).replace("-", "−");

function when(day) {
  if (day === null) return "";
  if (Math.abs(day) <= WHOLE_DAYS) return say("day", { n: tick(day) });
  return say("month", { n: tick(Math.round((10 * day) / MONTH) / 10) });
}

/** Ends of an axis: every middle, and of intervals what does not dwarf the rest. */
function reach(middles, intervals, more = []) {
  const points = middles.filter(known);
  const all = [...points, ...intervals.flat().filter(known)];
  if (!all.length) return null;
  const widths = intervals.filter(([low, high]) => known(low) && known(high)).map(([low, high]) => high - low).sort((a, b) => a - b);
  const [least, most] = [Math.min(...(points.length ? points : all)), Math.max(...(points.length ? points : all))];
  const span = Math.max(most - least, widths.length ? widths[Math.floor(0.75 * (widths.length - 1))] : 0) || 0.2 * Math.abs(most) || 1;
  let low = Math.max(Math.min(...all), least - 1.2 * span);
  let high = Math.min(Math.max(...all), most + 1.2 * span);
  for (const one of more) {
    if (one < low && low - one < 0.5 * (high - low)) low = one;
    if (one > high && one - high < 0.5 * (high - low)) high = one;
  }
  if (low === high) [low, high] = [low - span / 2, high + span / 2];
  const air = 0.04 * (high - low);
  return [low - air, high + air];
}

/** Round values inside an axis, about `most` of them. */
function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) found.push(k * step);
  return found;
}

const LADDERS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]];

function logTicks(low, high, most) {
  const [from, to] = [Math.exp(low), Math.exp(high)];
  let best = null;
  for (const ladder of LADDERS) {
    const found = [];
    for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power += 1) {
      for (const one of ladder) {
        const value = +(one * 10 ** power).toPrecision(6);
        if (value >= from && value <= to) found.push(value);
      }
    }
    if (found.length > most + 1) break;
    best = found;
  }
  return best && best.length > 1 ? best : ticks(from, to, Math.min(most, 3)).filter((one) => one > 0);
}

/** An axis over values that are compared: `at` gives a place in per cent, or null. */
function scale(rows, log, more) {
  const turn = (value) => (!known(value) ? null : log ? (value > 0 ? Math.log(value) : null) : value);
  const pick = (name) => rows.map((i) => turn(C[name][i]));
  const pairs = [["published_low", "published_high"], ["simulated_low", "simulated_high"]]
    .flatMap(([low, high]) => rows.map((i) => [turn(C[low][i]), turn(C[high][i])]));
  const ends = reach([...pick("published"), ...pick("simulated")], pairs, more.map(turn).filter(known));
  if (!ends) return null;
  const at = (value) => {
    const place = turn(value);
    return place === null ? null : EDGE + (100 - 2 * EDGE) * ((place - ends[0]) / (ends[1] - ends[0]));
  };
  return { at, log, ticks: (most) => (log ? logTicks(...ends, most) : ticks(...ends, most)) };
}

const inside = (place) => Math.min(Math.max(place, 0.6), 99.4);
const per = (place) => `${place.toFixed(2)}%`;

/** An interval; an end beyond the axis, or without a limit, is an arrow. */
function interval(holder, low, high, y, name, height) {
  const [from, to] = [inside(low), inside(high)];
  if (height) holder.append(draw("rect", { class: name, x: per(from), width: per(Math.max(to - from, 0.3)), y: y - height / 2, height }));
  else holder.append(draw("line", { class: name, x1: per(from), x2: per(to), y1: y, y2: y }));
  if (low < 0.6) holder.append(draw("svg", { x: per(from), y, overflow: "visible" }, draw("path", { class: `${name} open`, d: "M5-4L0 0L5 4" })));
  if (high > 99.4) holder.append(draw("svg", { x: per(to), y, overflow: "visible" }, draw("path", { class: `${name} open`, d: "M-5-4L0 0L-5 4" })));
}

const SHAPES = { at_least: "M-4-4.5L4.5 0L-4 4.5Z", at_most: "M4-4.5L-4.5 0L4 4.5Z" };

/** A published value: a disc where it was fitted, a ring where it is a check, a cross where it is noise. */
function dot(place, y, use, bound) {
  if (place < 0 || place > 100) return draw("g", {});
  if (bound) return draw("svg", { x: per(place), y, overflow: "visible" }, draw("path", { class: `dot ${use}`, d: SHAPES[bound] }));
  if (use === "noise") return draw("svg", { x: per(place), y, overflow: "visible" }, draw("path", { class: "dot noise", d: "M-3.5-3.5L3.5 3.5M3.5-3.5L-3.5 3.5" }));
  return draw("circle", { class: `dot ${use}`, cx: per(place), cy: y, r: 4 });
}

/** A simulated number with its intervals: of the draws, and of what such a study would report. */
function simulated(holder, axis, i, y) {
  const place = (name, beyond) => (C[name][i] === null ? beyond : axis.at(C[name][i]) ?? -1);
  const there = C.simulated[i] !== null || C.simulated_low[i] !== null;
  if (!there) return;
  interval(holder, place("simulated_low", -1), place("simulated_high", 101), y, "outer", 6);
  if (C.model_low[i] !== null || C.model_high[i] !== null) interval(holder, place("model_low", -1), place("model_high", 101), y, "inner", 6);
  const middle = place("simulated", 101);
  if (middle >= 0 && middle <= 100) holder.append(draw("svg", { x: per(middle), y, overflow: "visible" }, draw("rect", { class: "middle", x: -1, width: 2, y: -5, height: 10 })));
}
