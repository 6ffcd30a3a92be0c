/** The strip above a stacked chart that marks the stages, with a rule where each begins. */
function stageStrip(ctx, box, at, arm) {
  const top = box.top - 22;
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, 0, box.width, box.top + box.height);
  ctx.clip();
  ctx.textBaseline = "middle";
  ctx.font = font(11, "600");
  DATA.arms[arm].stages.forEach((bar, index) => {
    const from = Math.max(at(onClock("weeks", bar.from), "x"), box.left);
    const to = Math.min(at(onClock("weeks", bar.to), "x"), box.left + box.width);
    if (to <= from) return;
    ctx.fillStyle = colour(bar.stage);
    ctx.fillRect(from, top, to - from, 17);
    if (index) rule(ctx, from, top, from, box.top + box.height, colour("ink"), [4, 3]);
    const full = DATA.words["stage_" + bar.stage];
    const digit = String(["inflammation", "soft_callus", "hard_callus", "remodelling"].indexOf(bar.stage) + 1);
    const label = [`${digit} ${full}`, digit].find((text) => ctx.measureText(text).width + 8 <= to - from) || "";
    ctx.fillStyle = colour("stage-ink");
    ctx.textAlign = "center";
    if (label) ctx.fillText(label, (from + to) / 2, top + 9);
  });
  ctx.restore();
}

let tissueOf = "envelope";

/** The tissue of an arm as drawn: against the envelope, or against the tissue there is. */
function tissueParts(arm) {
  const raw = DATA.tissue.values[arm];
  if (tissueOf === "envelope") return raw;
  const whole = raw[0].map((_, i) => raw.reduce((sum, part) => sum + (part[i] ?? 0), 0));
  return raw.map((part) => part.map((value, i) => (value === null || !whole[i] ? null : (100 * value) / whole[i])));
}

/** The same upper end for every arm, so that panels can be compared. */
function tissueTop() {
  if (tissueOf === "tissue") return 100;
  const wholes = DATA.tissue.values.flatMap((raw) => raw[0].map((_, i) => raw.reduce((sum, part) => sum + (part[i] ?? 0), 0)));
  const most = wholes.reduce((a, b) => Math.max(a, b), 0);
  return most > 95 ? 100 : Math.max(5, Math.ceil((most * 1.04) / 5) * 5);
}

/** One stacked area chart per arm. */
function tissue(panel, arm) {
  const holder = panel.querySelector(".plot");
  const width = holder.clientWidth;
  if (!width) return null;
  const { names, titles } = DATA.tissue;
  const parts = tissueParts(arm);
  const top = tissueTop();
  const x = CLOCK.weeks;
  const tops = [];
  parts.forEach((part, level) => {
    tops.push(part.map((value, i) => (value === null ? null : value + (level ? tops[level - 1][i] ?? 0 : 0))));
  });
  const rows = names.map((name, level) => {
    const item = element("span", "item");
    item.append(element("i", "box box-" + name), element("span", "name", titles[level]), element("b", ""));
    return item;
  });
  const time = element("span", "when");
  // Read from the top of the stack downwards, as the eye meets the areas.
  panel.querySelector(".legend").replaceChildren(...rows.slice().reverse(), time);
  const order = names.map((_, level) => level).reverse();
  const options = base("weeks", width, 260, {
    label: DATA.words["tissue_" + tissueOf],
    top: 28,
    scales: { y: { range: () => [0, top] } },
    points: { show: false },
    drawOrder: ["series", "axes"],
    series: order.map((level) => ({ stroke: colour("card"), width: 1, fill: colour(names[level]), pxAlign: 0, points: { show: false } })),
    draw: (plot) => paint(plot, (ctx, box, at) => stageStrip(ctx, box, at, arm)),
    read: (plot) => {
      const index = plot.cursor.idx;
      const live = index !== null && index !== undefined && plot.cursor.left >= 0;
      time.textContent = live ? when("weeks", x[index]) : "";
      rows.forEach((row, level) => {
        const value = live ? parts[level][index] : null;
        row.lastChild.textContent = value === null ? "" : value.toFixed(value < 9.95 ? 1 : 0) + " %";
      });
    },
  });
  options.axes[0].grid.show = false;
  options.axes[1].grid = { stroke: "rgba(0,0,0,0.13)", width: 1 };
  return register(new uPlot(options, [x, ...order.map((level) => tops[level])], holder), "weeks");
}
