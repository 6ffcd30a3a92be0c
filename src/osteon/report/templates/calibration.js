const PANELS = Object.fromEntries(DATA.panels.map((item) => [item.id, item]));
const DOSES = [3, 6, 14, 30, 60, 100, 210];
const NEAR = 14; // pixels
const made = new Map();
const MONTHS = [1, 2, 3, 6, 12, 24];

/** Ends of the value axis: the band, the points with their bars where they are near, zero, and a little air. */
function reach(item) {
  const bars = item.points.flatMap(([, value, low, high, use]) => (use === "noise" ? [value] : [value, low, high]));
  const others = (item.others || []).flatMap((one) => one.y);
  const all = [0, ...item.low, ...item.high, ...bars, ...others].filter((v) => v !== null && Number.isFinite(v));
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const air = 0.06 * (most - least || 1);
  return [least - air, most + air];
}

/** One published point: its bar, then a disc, a ring or a cross; a triangle where it is censored. */
function mark(ctx, x, y, low, high, use, censored, tone) {
  ctx.globalAlpha = use === "noise" ? 0.6 : 1;
  if (low !== null && high !== null && use !== "noise") {
    rule(ctx, x, low, x, high, tone, [], 1);
    for (const end of [low, high]) rule(ctx, x - 2.5, end, x + 2.5, end, tone, [], 1);
  }
  if (use === "noise") {
    rule(ctx, x - 2.5, y - 2.5, x + 2.5, y + 2.5, tone, [], 1);
    rule(ctx, x - 2.5, y + 2.5, x + 2.5, y - 2.5, tone, [], 1);
  } else {
    ctx.beginPath();
    if (censored) {
      ctx.moveTo(x - 4, y - 3);
      ctx.lineTo(x + 4, y - 3);
      ctx.lineTo(x, y + 4);
      ctx.closePath();
    } else ctx.arc(x, y, 3.2, 0, 2 * Math.PI);
    ctx.lineWidth = 1.8;
    ctx.strokeStyle = tone;
    ctx.fillStyle = use === "check" ? colour("card") : tone;
    ctx.fill();
    if (use === "check") ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

const tones = () => ({ fit: colour("ink"), check: colour("arm-1"), noise: colour("soft") });

function panel(holder) {
  const item = PANELS[holder.dataset.panel];
  const readout = holder.parentElement.querySelector(".readout");
  const width = holder.clientWidth;
  if (!width) return null;
  const log = item.axis === "dose";
  const blue = colour("arm-0");
  const ink = colour("soft");
  const tone = tones();
  const others = item.others || [];
  const large = others.length > 0;
  const axis = { stroke: ink, font: font(11), labelFont: font(11), labelSize: 18, labelGap: 0, grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 4 } };
  const thin = { pxAlign: 0, points: { show: false } };
  const clip = (plot, work) => paint(plot, (ctx, box, at) => {
    ctx.beginPath();
    ctx.rect(box.left - 4, box.top - 4, box.width + 8, box.height + 8);
    ctx.clip();
    work(ctx, box, at);
  });
  const options = {
    width, height: large ? 320 : 190, legend: { show: false }, padding: [8, 10, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: (_, i) => (i === 3 ? 6 : 0) } },
    scales: {
      x: { time: false, distr: log ? 3 : 1, range: (_, low, high) => (log ? [low / 1.12, high * 1.12] : [Math.min(low, 0) - 0.012 * high, high * 1.012]) },
      y: { range: () => reach(item) },
    },
    axes: [
      { ...axis, size: 26, label: log ? DATA.words.dose_axis : DATA.words.months,
        ...(log ? { space: 1, splits: () => DOSES, filter: (_, ticks) => ticks } : { space: 30, incrs: MONTHS }),
        values: (_, ticks) => ticks.map((t) => minus(String(t))) },
      { ...axis, size: 42, space: large ? 36 : 28, values: (_, ticks) => ticks.map((t) => minus(String(+t.toPrecision(6)))) },
    ],
    series: [{}, { ...thin, stroke: blue + "40", width: 1 }, { ...thin, stroke: blue + "40", width: 1 },
      { ...thin, stroke: blue, width: 2 },
      ...item.structures.map(() => ({ ...thin, stroke: blue + "90", width: 1, dash: [4, 3] }))],
    bands: [{ series: [2, 1], fill: blue + "33" }],
    hooks: {
      drawAxes: [(plot) => clip(plot, (ctx, box, at) => rule(ctx, box.left, at(0, "y"), box.left + box.width, at(0, "y"), colour("mark"), [3, 3], 1))],
      draw: [(plot) => clip(plot, (ctx, box, at) => {
        const foot = box.top + box.height;
        for (const [from, to] of item.courses) rule(ctx, Math.max(at(from, "x"), box.left), foot - 2, Math.min(at(to, "x"), box.left + box.width), foot - 2, ink, [], 3);
        for (const day of item.doses) rule(ctx, at(day, "x"), foot - 8, at(day, "x"), foot, ink, [], 1.5);
        others.forEach((one, index) => {
          ctx.beginPath();
          ctx.setLineDash(DASHES[(index + 1) % DASHES.length]);
          ctx.lineWidth = 1.6;
          ctx.strokeStyle = armColour(index + 2);
          // Between doses a straight line would be wrong, so only values after treatment are joined.
          one.x.forEach((x, k) => ctx[k && one.x[k - 1] >= item.joined ? "lineTo" : "moveTo"](at(x, "x"), at(one.y[k], "y")));
          ctx.stroke();
          ctx.setLineDash([]);
          ctx.fillStyle = armColour(index + 2);
          one.x.forEach((x, k) => ctx.fillRect(at(x, "x") - 2.5, at(one.y[k], "y") - 2.5, 5, 5));
        });
        // What was fitted or checked lies over what is only shown.
        for (const pass of ["noise", "other"]) {
          for (const [x, y, low, high, use, censored] of item.points) {
            if ((use === "noise") !== (pass === "noise")) continue;
            const place = (v) => (v === null ? null : at(v, "y"));
            mark(ctx, at(x, "x"), at(y, "y"), place(low), place(high), use, censored, tone[use]);
          }
        }
      })],
      setCursor: [(plot) => { readout.textContent = read(plot, item) || "\u00a0"; }],
    },
  };
  const plot = new uPlot(options, [item.x, item.low, item.high, item.median, ...item.structures], holder);
  plot.over.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") return;
    const box = plot.over.getBoundingClientRect();
    plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top });
  });
  return plot;
}

/** Median with its interval under the cursor, and the published point next to it. */
function read(plot, item) {
  const { idx, left, top } = plot.cursor;
  if (idx === null || idx === undefined || left < 0 || item.median[idx] === null) return "";
  const unit = " " + item.unit;
  const x = item.axis === "dose" ? fill(DATA.words.dose_value, { dose: item.x[idx] }) : fill(DATA.words.month, { month: item.x[idx].toFixed(1) });
  let text = `${x}: ${number(item.median[idx])}${unit} (${number(item.low[idx])} – ${number(item.high[idx])})`;
  let nearest = NEAR ** 2;
  for (const [day, value, , , use] of item.points) {
    const apart = (plot.valToPos(day, "x") - left) ** 2 + 0.1 * (plot.valToPos(value, "y") - top) ** 2;
    if (apart >= nearest) continue;
    nearest = apart;
    const name = use === "noise" ? DATA.words.noise : DATA.words["use_" + use];
    text = `${x}: ${number(item.median[idx])} (${number(item.low[idx])} – ${number(item.high[idx])}) · ${DATA.words.observed} ${number(value)}${unit}, ${name}`;
  }
  return text;
}

/** Lines of the other models by name. */
function namesOfOthers() {
  for (const holder of document.querySelectorAll(".legend.others")) {
    const item = PANELS[holder.parentElement.querySelector(".plot").dataset.panel];
    holder.replaceChildren(...["osteon", ...item.others.map((one) => one.name)].map((name, index) => {
      const node = element("span", "item");
      const line = element("i", "swatch");
      swatch(line, index ? index + 1 : 0);
      if (index) line.querySelector("line").setAttribute("stroke-dasharray", DASHES[index % DASHES.length].join(" "));
      node.append(line, element("span", "name", name));
      return node;
    }));
  }
}

const seen = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting && show(entry.target)), { rootMargin: "600px" });

function show(holder) {
  if (made.has(holder)) return;
  const plot = panel(holder);
  if (plot) made.set(holder, plot);
}

/** Draws again what is drawn, as after a change of width or colours. */
function redraw(all) {
  const holders = all === true ? [...document.querySelectorAll(".plot")] : [...made.keys()];
  for (const plot of made.values()) plot.destroy();
  made.clear();
  namesOfOthers();
  holders.forEach(show);
}

/** Buttons that leave the panels of one endpoint, drug or use of rows. */
function filters() {
  const figures = [...document.querySelectorAll("#data .panel")];
  const wanted = {};
  const said = document.getElementById("panels-shown");
  const apply = () => {
    let left = 0;
    for (const figure of figures) {
      const off = Object.entries(wanted).some(([key, value]) => value && !figure.dataset[key].split(" ").includes(value));
      figure.classList.toggle("off", off);
      left += !off;
    }
    if (said) said.textContent = fill(DATA.words.shown, { shown: left, total: figures.length });
  };
  for (const group of document.querySelectorAll("[data-filter]")) {
    const buttons = [...group.querySelectorAll("button")];
    wanted[group.dataset.filter] = buttons.find((one) => one.getAttribute("aria-pressed") === "true").dataset.value;
    for (const button of buttons) {
      button.addEventListener("click", () => {
        wanted[group.dataset.filter] = button.dataset.value;
        for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
        apply();
      });
    }
  }
  apply();
}

/** On paper the page is light and narrow, and every panel that is not filtered away is drawn. */
function paper(on) {
  if (ROOT.classList.contains("print") === on) return;
  ROOT.classList.toggle("print", on);
  redraw(true);
}

namesOfOthers();
filters();
for (const holder of document.querySelectorAll(".plot")) seen.observe(holder);
let lastWidth = ROOT.clientWidth;
let timer = 0;
addEventListener("resize", () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (ROOT.clientWidth === lastWidth || ROOT.classList.contains("print")) return;
    lastWidth = ROOT.clientWidth;
    redraw();
  }, 120);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
matchMedia("print").addEventListener("change", (event) => paper(event.matches));
addEventListener("beforeprint", () => paper(true));
addEventListener("afterprint", () => paper(false));
