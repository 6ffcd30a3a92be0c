const STEPS = { weeks: [1, 2, 4, 8, 13, 26, 52, 104, 208], months: [0.25, 0.5, 1, 2, 3, 6, 12, 24, 36, 60, 120] };
const CLOCK = Object.fromEntries(
  Object.entries(DATA.clocks).map(([clock, days]) => [clock, days.map((day) => onClock(clock, day))])
);
const plots = { weeks: new Set(), months: new Set() };
const view = { weeks: null, months: null };

/** Room for the longest number beside a value axis. */
const wide = (_, ticks) => Math.max(46, 11 + 7 * Math.max(0, ...(ticks || []).map((tick) => tick.length)));

/** Options that every chart of one clock shares: time axis, cursor and zoom in step with its neighbours. */
function base(clock, width, height, more) {
  const ink = colour("soft");
  const axis = {
    stroke: ink, font: font(12), labelFont: font(12), labelSize: 20, labelGap: 2,
    grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 5 },
  };
  return {
    width, height, legend: { show: false }, padding: [more.top ?? 10, 12, 0, 0],
    cursor: {
      y: false, sync: { key: clock, scales: ["x", null] }, drag: { x: true, y: false, dist: 8 },
      points: { size: (_, i) => (i > DATA.arms.length ? 0 : 7), ...(more.points || {}) }, bind: { dblclick: () => () => { zoom(clock, "all"); return null; } },
    },
    scales: { x: { time: false, range: (_, low, high) => [low, high] }, ...more.scales },
    axes: [
      {
        ...axis, size: 34, space: 44, incrs: STEPS[clock], values: (_, ticks) => ticks.map((t) => minus(String(t))),
        label: clock === "weeks" ? DATA.words.weeks : DATA.fractured ? DATA.words.months : DATA.words.months_start,
      },
      { ...axis, size: wide, space: 34, label: more.label, show: more.label !== undefined, values: (_, ticks) => ticks.map((t) => minus(String(+t.toPrecision(6)))) },
    ],
    series: [{}, ...more.series],
    bands: more.bands || [],
    drawOrder: more.drawOrder || ["axes", "series"],
    hooks: { draw: [(plot) => more.draw && more.draw(plot)], setCursor: [more.read] },
  };
}

/** Runs a drawing in the plane of the plot in CSS pixels; `at` turns data into such pixels. */
function paint(plot, work) {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const box = { left: bbox.left / ratio, top: bbox.top / ratio, width: bbox.width / ratio, height: bbox.height / ratio };
  const at = (value, scale) => plot.valToPos(value, scale, true) / ratio;
  ctx.save();
  ctx.scale(ratio, ratio);
  work(ctx, box, at);
  ctx.restore();
}

function rule(ctx, x1, y1, x2, y2, stroke, pattern = [], width = 1) {
  ctx.beginPath();
  ctx.setLineDash(pattern);
  ctx.lineWidth = width;
  ctx.strokeStyle = stroke;
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Text with a halo of the background, so that it stays legible over lines. */
function label(ctx, text, x, y, ink) {
  ctx.lineWidth = 4;
  ctx.lineJoin = "round";
  ctx.strokeStyle = colour("card");
  ctx.strokeText(text, x, y);
  ctx.fillStyle = ink;
  ctx.fillText(text, x, y);
}

/** The fracture at time zero, as a labelled line. */
function fractureLine(ctx, box, at) {
  if (!DATA.fractured) return;
  const x = at(0, "x");
  if (x < box.left || x > box.left + box.width) return;
  rule(ctx, x, box.top, x, box.top + box.height, colour("mark"), [], 1.5);
  ctx.font = font(11);
  ctx.textBaseline = "bottom";
  ctx.textAlign = x > box.left + box.width - 50 ? "right" : x < box.left + 30 ? "left" : "center";
  label(ctx, DATA.words.fracture, x, box.top - 3, colour("mark"));
}

/** Ticks along the bottom, one row per arm, where that arm was dosed. */
function doseTicks(ctx, box, at, clock) {
  const inside = (dose) => clock === "months" || dose.day >= 0;
  const dosed = DATA.arms.map((_, arm) => arm).filter((arm) => shown[arm] && DATA.arms[arm].doses.some(inside));
  const height = dosed.length > 4 ? 4 : 7;
  dosed.forEach((arm, row) => {
    const bottom = box.top + box.height - 1 - (dosed.length - 1 - row) * (height + 1);
    for (const dose of DATA.arms[arm].doses.filter(inside)) {
      const x = at(onClock(clock, dose.day), "x");
      if (x >= box.left - 0.5 && x <= box.left + box.width + 0.5) rule(ctx, x, bottom - height, x, bottom, armColour(arm), [], 2.5);
    }
  });
}

function referenceLine(ctx, box, at, reference) {
  const y = at(reference.value, "y");
  if (y < box.top - 1 || y > box.top + box.height + 1) return;
  rule(ctx, box.left, y, box.left + box.width, y, colour("soft"), [5, 4]);
  ctx.font = font(11);
  // The left end is where healing curves start low, so the label is clear of them.
  ctx.textAlign = "left";
  ctx.textBaseline = y - box.top < 18 ? "top" : "bottom";
  label(ctx, reference.label, box.left + 6, y + (ctx.textBaseline === "top" ? 4 : -4), colour("soft"));
}

/** Ends of the value axis: the data, what must be seen, and a little air. */
function ends(chart, low, high) {
  if (chart.fixed) return chart.fixed;
  const all = [low, high, ...chart.include].filter((v) => v !== null && Number.isFinite(v));
  let [least, most] = [Math.min(...all), Math.max(...all)];
  if (least === most) most = least + 1;
  const air = 0.07 * (most - least);
  return [chart.include.includes(least) && least === 0 ? 0 : least - air, most + air];
}

/** The key of a chart: a line per arm, its value under the cursor (room is kept for `widest`), the time, and what the shading is. */
function legend(holder, widest = 0, shading = "") {
  const items = DATA.arms.map((arm, index) => {
    const item = element("span", "item" + (shown[index] ? "" : " off"));
    const mark = element("i", "swatch");
    swatch(mark, index);
    const name = element("span", "name", arm.name);
    name.title = arm.name;
    const value = element("b", "");
    value.style.minWidth = `${Math.ceil(widest * 0.62)}em`;
    item.append(mark, name, value);
    return { item, value };
  });
  const time = element("span", "when");
  const shade = element("span", "shade", shading);
  if (shading) shade.prepend(element("i", ""));
  holder.replaceChildren(...items.map((one) => one.item), time, ...(shading ? [shade] : []));
  return { values: items.map((one) => one.value), time };
}

/** Place of the lower curve of an arm's ensemble span among the series of a chart. */
const bandAt = (arm) => 1 + DATA.arms.length + 2 * arm;

function line(figure, chart) {
  const holder = figure.querySelector(".plot");
  const longest = Math.max(...chart.values.flat().filter((v) => v !== null).map((v) => number(v).length));
  const key = legend(figure.querySelector(".legend"), longest + (chart.unit ? chart.unit.length + 1 : 0), chart.shading);
  const width = holder.clientWidth;
  if (!width) return null;
  const x = CLOCK[chart.clock];
  const options = base(chart.clock, width, ROOT.classList.contains("print") ? 210 : width < 420 ? 250 : 280, {
    label: chart.axis,
    top: chart.clock === "months" && DATA.fractured ? 20 : 10,
    scales: { y: { range: (_, low, high) => ends(chart, low, high) } },
    bands: (chart.span || []).map((_, arm) => ({ series: [bandAt(arm) + 1, bandAt(arm)], fill: armColour(arm) + "26" })),
    series: [...DATA.arms.map((_, arm) => ({ stroke: armColour(arm), width: 2.25, dash: dash(arm), show: shown[arm], pxAlign: 0, points: { show: false } })),
      ...(chart.span || []).flatMap((_, arm) => [0, 1].map(() => ({ show: shown[arm], stroke: armColour(arm) + "40", width: 1, pxAlign: 0, points: { show: false } })))],
    draw: (plot) => paint(plot, (ctx, box, at) => {
      if (chart.reference) referenceLine(ctx, box, at, chart.reference);
      if (chart.clock === "months") fractureLine(ctx, box, at);
      doseTicks(ctx, box, at, chart.clock);
    }),
    read: (plot) => {
      const index = plot.cursor.idx;
      const live = index !== null && index !== undefined && plot.cursor.left >= 0;
      key.time.textContent = live ? when(chart.clock, x[index]) : "";
      key.values.forEach((node, arm) => {
        const value = live ? chart.values[arm][index] : null;
        node.textContent = value === null ? "" : number(value) + (chart.unit ? " " + chart.unit : "");
      });
    },
  });
  return register(new uPlot(options, [x, ...chart.values, ...(chart.span || []).flat()], holder), chart.clock);
}

/** Keeps a chart in step with its clock, and lets a finger read values without zooming. */
function register(plot, clock) {
  plots[clock].add(plot);
  if (view[clock]) plot.setScale("x", { min: view[clock][0], max: view[clock][1] });
  plot.over.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") return;
    const box = plot.over.getBoundingClientRect();
    plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top }, true, true);
  });
  plot.clock = clock;
  return plot;
}

/** Shows the first weeks, the last months, or everything on every chart of a clock. */
function zoom(clock, span) {
  const x = CLOCK[clock];
  if (!x) return;
  const [first, last] = [x[0], x[x.length - 1]];
  view[clock] = span === "all" ? null : clock === "weeks" ? [first, Math.min(last, span)] : [Math.max(first, last - span), last];
  const [min, max] = view[clock] || [first, last];
  for (const plot of plots[clock]) plot.setScale("x", { min, max });
  for (const button of document.querySelectorAll(`.ranges[data-clock="${clock}"] button`)) {
    button.setAttribute("aria-pressed", String(button.dataset.span === String(span)));
  }
}
