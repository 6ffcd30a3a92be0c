const isWorded = (i) => text("verdict", i).startsWith("direction")
  || (text("verdict", i) === "not simulated" && /^(sign|direction|方向)/.test(text("unit", i)) && [-1, 0, 1].includes(C.published[i]));
const isMiss = (i) => text("verdict", i) === "missed" || text("verdict", i) === "direction wrong";
const LINES = 30; // height of a row's drawing

/** A published direction, as an arrow from no effect. */
function direction(holder, axis, i) {
  const start = axis.at(1);
  const way = Math.sign(C.published[i]);
  const use = text("use", i);
  if (!way) return holder.append(draw("svg", { x: per(start), y: 9, overflow: "visible" }, draw("path", { class: `arrow ${use}`, d: "M-9-4V4M9-4V4M-9 0H9" })));
  const shape = way > 0 ? "M0 0H26M19-5L27 0L19 5" : "M0 0H-26M-19-5L-27 0L-19 5";
  holder.append(draw("svg", { x: per(start), y: 9, overflow: "visible" }, draw("path", { class: `arrow ${use}`, d: shape })));
}

function pair(i, axis, worded) {
  const holder = draw("svg", { class: "pair", height: LINES, width: "100%", "aria-hidden": "true" });
  if (!axis) return holder;
  const none = axis.none === null ? null : axis.at(axis.none);
  if (none !== null && none >= 0 && none <= 100) holder.append(draw("line", { class: "none", x1: per(none), x2: per(none), y1: 0, y2: LINES }));
  if (worded) direction(holder, axis, i);
  else if (C.published[i] !== null) {
    const place = axis.at(C.published[i]);
    const [low, high] = [C.published_low[i], C.published_high[i]];
    if (low !== null && high !== null) interval(holder, axis.at(low) ?? -1, axis.at(high) ?? -1, 9, `bar ${text("use", i)}`, 0);
    if (place !== null) holder.append(dot(place, 9, text("use", i), text("bound", i)));
  }
  simulated(holder, axis, i, 22);
  return holder;
}

function ruler(axis) {
  const holder = draw("svg", { class: "ruler", height: 18, width: "100%", "aria-hidden": "true" });
  if (!axis) return holder;
  for (const value of axis.ticks(5)) {
    const x = per(axis.at(value));
    holder.append(draw("line", { x1: x, x2: x, y1: 13, y2: 18 }), draw("text", { x, y: 10 }, axis.log ? `${axis.of}${tick(value)}` : tick(value)));
  }
  return holder;
}

const BOUNDS = { at_least: "≥ ", at_most: "≤ " };
const ends = (low, high) => (low === null && high === null ? "" : ` (${low === null ? "−∞" : figure(low)} – ${high === null ? "∞" : figure(high)})`);

function published(i, worded) {
  if (worded) return say(`direction_${["down", "none", "up"][Math.sign(C.published[i]) + 1]}`);
  if (C.published[i] === null) return "–";
  return (BOUNDS[text("bound", i)] || "") + figure(C.published[i]) + ends(C.published_low[i], C.published_high[i]);
}

function found(i, worded) {
  const [middle, low, high] = [C.simulated[i], C.simulated_low[i], C.simulated_high[i]];
  if (middle === null && low === null) return "–";
  return (worded ? "× " : "") + (middle === null ? "∞" : figure(middle)) + (worded && low === null ? "" : ends(low, high));
}

function apart(i) {
  if (C.agreeing[i] !== null && isWorded(i)) return say("agree", { share: Math.round(100 * C.agreeing[i]) });
  const far = C.distance[i];
  return far === null ? "" : say("apart", { far: (far > 0 ? "+" : far < 0 ? "−" : "") + Math.abs(far).toFixed(1) });
}

/** What is to be known of a number beside its value. */
function* remarks(i, before) {
  if (text("printed", i)) yield [say("printed"), text("printed", i)];
  if (text("corrected", i) && !before.has(text("corrected", i))) {
    before.add(text("corrected", i));
    yield [say("as_printed"), text("as_printed", i), "struck"];
    yield [say("corrected"), text("corrected", i)];
  }
  for (const name of ["reason", "flag"]) {
    const why = text(name, i);
    // A reason of many rows is told once.
    if (why && !before.has(why)) yield [name === "reason" ? say(text("verdict", i) === "not simulated" ? "not_simulated" : "why") : say("flag"), why];
    if (why) before.add(why);
  }
}

function row(i, axis, before) {
  const worded = isWorded(i);
  const verdict = text("verdict", i);
  const use = say(`use_${text("use", i)}`);
  const where = [when(C.day[i]), C.n[i] ? `n = ${C.n[i]}` : "", use, DATA.words[`how_${text("how_obtained", i)}`] || text("how_obtained", i)];
  const arm = text("arm", i) || (text("against", i) ? "" : "–");
  const name = node("span", "arm", arm, text("against", i) ? node("small", arm ? "beside" : "", say("against", { arm: text("against", i) })) : "");
  name.lang = "en";
  const details = node("small", "", where.filter(Boolean).join(" · "));
  if (text("table", i)) details.title = say("stands", { table: text("table", i), line: C.line[i] });
  const badge = node("span", "badge", say(`verdict_${verdict.replaceAll(" ", "_")}`));
  badge.dataset.verdict = verdict;
  const far = apart(i);
  const sign = !worded && text("sign", i) === "disagrees" ? node("small", "warned", say("sign_disagrees")) : "";
  const line = node("li", "row",
    node("div", "what", name, details),
    pair(i, axis, worded),
    node("div", "figures",
      node("span", "one", node("small", "", say("published")), published(i, worded)),
      node("span", "two", node("small", "", say("simulated")), found(i, worded))),
    node("div", "end", badge, far ? node("small", "", far) : "", sign));
  const notes = [...remarks(i, before)];
  if (notes.length) line.append(node("div", "remarks", ...notes.map(([title, told, look]) => {
    const said = node("span", look || "", told);
    if (ROOT.lang.startsWith("zh") && !/[\u3400-\u9fff]/.test(told)) said.lang = "en";
    return node("p", "", node("b", "", title), " ", said);
  })));
  line.id = `row-${i}`;
  line.dataset.verdict = verdict;
  return line;
}

/** Rows of a study that share an axis: of one endpoint, quantity and unit. */
function blocksOf(rows) {
  const blocks = new Map();
  for (const i of rows) {
    const worded = isWorded(i);
    const key = [C.endpoint[i], C.unit[i], C.scale[i], worded, text("engine", i) === "turnover" ? "" : C.label[i] && text("table", i) !== "risk_factors.csv" ? C.label[i] : ""].join();
    if (!blocks.has(key)) blocks.set(key, { rows: [], worded });
    blocks.get(key).rows.push(i);
  }
  for (const block of blocks.values()) {
    const log = block.worded || block.rows.every((i) => text("scale", i) === "log");
    const ratio = block.worded || (log && block.rows.some((i) => text("against", i) || text("unit", i) === "ratio"));
    const none = ratio ? 1 : block.rows.some((i) => /^%/.test(text("unit", i))) ? 0 : null;
    const span = block.worded ? [0.5, 1, 2] : none === null ? [] : [none];
    const on = block.worded ? scaleOfDirections(block.rows) : scale(block.rows, log, span);
    block.axis = on && Object.assign(on, { none, of: ratio ? "× " : "" });
  }
  return [...blocks.values()];
}

/** Ratios to no effect, with room for the arrows on both sides. */
function scaleOfDirections(rows) {
  let far = Math.log(2);
  for (const i of rows) {
    for (const name of ["simulated", "simulated_low", "simulated_high"]) {
      const value = C[name][i];
      if (value > 0) far = Math.max(far, Math.min(Math.abs(Math.log(value)), Math.log(8)));
    }
  }
  const at = (value) => (value > 0 ? 50 + ((50 - EDGE) * Math.log(value)) / far : -1);
  return { at, log: true, ticks: (most) => logTicks(-far, far, most) };
}

/** Over time: published points over simulated intervals, for arms that were measured on three days or more. */
function panelsOf(rows) {
  const courses = new Map();
  for (const i of rows) {
    if (isWorded(i) || C.day[i] === null || C.published[i] === null || C.simulated[i] === null || text("scale", i) !== "linear") continue;
    const key = [C.endpoint[i], C.label[i], C.unit[i], C.arm[i], C.against[i]].join();
    if (!courses.has(key)) courses.set(key, []);
    courses.get(key).push(i);
  }
  return [...courses.values()].filter((one) => new Set(one.map((i) => C.day[i])).size > 2);
}

const TALL = 132;

function panel(course) {
  const first = course[0];
  const days = course.map((i) => C.day[i]);
  const [start, end] = [Math.min(0, ...days), Math.max(...days)];
  const x = (day) => 4 + (92 * (day - start)) / (end - start || 1);
  const bars = course.filter((i) => text("use", i) !== "noise").map((i) => [C.published_low[i], C.published_high[i]]);
  const [low, high] = reach([...course.map((i) => C.published[i]), ...course.map((i) => C.simulated[i])],
    [...bars, ...course.map((i) => [C.simulated_low[i], C.simulated_high[i]])], [0]);
  const y = (value) => Math.min(Math.max(TALL - (TALL * (value - low)) / (high - low), -2), TALL + 2);
  const plot = draw("svg", { class: "plot", width: "100%", height: TALL + 18, "aria-hidden": "true" });
  const side = draw("svg", { class: "side", width: 38, height: TALL + 18, "aria-hidden": "true" });
  for (const value of ticks(low, high, 4)) {
    plot.append(draw("line", { class: value === 0 ? "none" : "grid", x1: 0, x2: "100%", y1: y(value), y2: y(value) }));
    side.append(draw("text", { x: 34, y: y(value) + 4 }, tick(value)));
  }
  const months = end - start > WHOLE_DAYS;
  for (const value of ticks(start / (months ? MONTH : 1), end / (months ? MONTH : 1), 4)) {
    plot.append(draw("text", { x: per(x(value * (months ? MONTH : 1))), y: TALL + 14 }, tick(value)));
  }
  const half = new Set(days).size > 14 ? 2 : 4;
  for (const i of course) {
    for (const [from, to, name] of [["simulated_low", "simulated_high", "outer"], ["model_low", "model_high", "inner"]]) {
      const [foot, head] = [y(C[from][i] ?? low - high), y(C[to][i] ?? high * 2)];
      plot.append(draw("svg", { x: per(x(C.day[i])), overflow: "visible" }, draw("rect", { class: name, x: -half, width: 2 * half, y: head, height: Math.max(foot - head, 1) })));
    }
    plot.append(draw("svg", { x: per(x(C.day[i])), overflow: "visible" }, draw("rect", { class: "middle", x: -half - 1, width: 2 * half + 2, y: y(C.simulated[i]) - 1, height: 2 })));
  }
  for (const i of [...course].sort((a, b) => (text("use", b) === "noise") - (text("use", a) === "noise"))) {
    const use = text("use", i);
    const at = per(x(C.day[i]));
    const point = draw("g", { class: isMiss(i) ? "miss" : "" }, draw("title", {}, `${when(C.day[i])}: ${published(i)} · ${say("simulated")} ${found(i)}`));
    if (use !== "noise" && C.published_low[i] !== null && C.published_high[i] !== null) {
      point.append(draw("line", { class: `bar ${use}`, x1: at, x2: at, y1: y(C.published_low[i]), y2: y(C.published_high[i]) }));
    }
    point.append(dot(x(C.day[i]), y(C.published[i]), use, ""));
    plot.append(point);
  }
  const missed = course.filter(isMiss).length;
  const title = node("h4", "", text("arm", first) || "–");
  title.lang = "en";
  const said = `${text("endpoint", first)}${text("against", first) ? ` · ${say("against", { arm: text("against", first) })}` : ""}`;
  const caption = node("figcaption", "", title, node("p", "", node("b", "", said), ` ${text("unit", first)} · ${say(months ? "in_months" : "in_days")} · ${say("missed_of", { missed, total: course.length })}`));
  return node("figure", "panel", caption, node("div", "frame", side, plot));
}
