const LANE = 52;

/** A triangle whose tip is at a point: above it with a positive size, below it with a negative one. */
function triangle(ctx, x, y, size, fillStyle) {
  ctx.beginPath();
  ctx.moveTo(x - size, y - size * 1.7);
  ctx.lineTo(x + size, y - size * 1.7);
  ctx.lineTo(x, y);
  ctx.closePath();
  ctx.fillStyle = fillStyle;
  ctx.fill();
}

/** Doses of one arm: a thin line over its time, a triangle per dose. */
function doseLane(ctx, box, at, arm, middle) {
  rule(ctx, box.left, middle, box.left + box.width, middle, armColour(arm), dash(arm), 1.5);
  for (const dose of DATA.arms[arm].doses) {
    const x = at(onClock("months", dose.day), "x");
    if (x >= box.left - 1 && x <= box.left + box.width + 1) triangle(ctx, x, middle, 7, armColour(arm));
  }
}

/** Stages of one arm as bars, with the soft callus peak. */
function stageLane(ctx, box, at, arm, middle) {
  ctx.font = font(12, "600");
  ctx.textBaseline = "middle";
  for (const bar of DATA.arms[arm].stages) {
    const from = Math.max(at(onClock("weeks", bar.from), "x"), box.left);
    const to = Math.min(at(onClock("weeks", bar.to), "x"), box.left + box.width);
    if (to <= from) continue;
    ctx.fillStyle = colour(bar.stage);
    ctx.fillRect(from, middle - 9, Math.max(to - from - 1, 1), 18);
    const label = DATA.words["stage_" + bar.stage];
    ctx.fillStyle = colour("stage-ink");
    ctx.textAlign = "center";
    if (ctx.measureText(label).width + 10 < to - from) ctx.fillText(label, (from + to) / 2, middle + 0.5);
  }
  const peak = DATA.arms[arm].peak;
  if (peak === null) return;
  const x = at(onClock("weeks", peak), "x");
  if (x >= box.left && x <= box.left + box.width) triangle(ctx, x, middle + 9, -5, colour("ink"));
}

function doseWords(arm, day) {
  const given = DATA.arms[arm].doses.filter((dose) => dose.day <= day + 0.5);
  if (!DATA.arms[arm].doses.length) return "–";
  if (!given.length) return DATA.words.before;
  return fill(DATA.words.since, { n: ((day - given[given.length - 1].day) / MONTH).toFixed(1).replace("-", "") });
}

function stageWords(arm, day) {
  const bar = DATA.arms[arm].stages.find((one) => day >= one.from && day <= one.to);
  return bar ? DATA.words["stage_" + bar.stage] : "";
}

/** One lane per arm over time, of doses (months) or stages (weeks). */
function lanes(figure, kind) {
  const clock = kind === "doses" ? "months" : "weeks";
  const holder = figure.querySelector(".plot");
  const width = holder.clientWidth;
  if (!width || !CLOCK[clock]) return null;
  const key = legend(figure.querySelector(".legend:not(.stage-key)"));
  if (kind === "stages") stageKey(figure);
  const x = CLOCK[clock];
  const arms = DATA.arms.map((_, arm) => arm).filter((arm) => shown[arm]);
  const options = base(clock, width, Math.max(arms.length, 1) * LANE + 78, {
    top: 20,
    scales: { y: { range: () => [0, Math.max(arms.length, 1)] } },
    points: { show: false },
    series: [{ stroke: "transparent", points: { show: false } }],
    draw: (plot) => paint(plot, (ctx, box, at) => {
      if (kind === "doses") fractureLine(ctx, box, at);
      arms.forEach((arm, row) => {
        const top = box.top + row * LANE;
        ctx.font = font(12, "600");
        ctx.textAlign = "left";
        ctx.textBaseline = "top";
        const name = clip(ctx, DATA.arms[arm].name, box.width - 12);
        ctx.fillStyle = colour("card");
        ctx.fillRect(box.left + 2, top + 2, ctx.measureText(name).width + 6, 15);
        ctx.fillStyle = armColour(arm);
        ctx.fillText(name, box.left + 4, top + 4);
        (kind === "doses" ? doseLane : stageLane)(ctx, box, at, arm, top + 31);
      });
    }),
    read: (plot) => {
      const index = plot.cursor.idx;
      const live = index !== null && index !== undefined && plot.cursor.left >= 0;
      const day = live ? DATA.clocks[clock][index] : 0;
      key.time.textContent = live ? when(clock, x[index]) : "";
      key.values.forEach((node, arm) => {
        node.textContent = live ? (kind === "doses" ? doseWords : stageWords)(arm, day) : "";
      });
    },
  });
  options.axes[1].show = false;
  options.padding[3] = 12;
  options.padding[1] = 16;
  return register(new uPlot(options, [x, x.map(() => 0)], holder), clock);
}

/** The colours of the stages, once, under the caption. */
function stageKey(figure) {
  if (figure.querySelector(".stage-key")) return;
  const row = element("div", "legend stage-key");
  for (const stage of ["inflammation", "soft_callus", "hard_callus", "remodelling"]) {
    const item = element("span", "item");
    item.append(element("i", "box box-" + stage), element("span", "name", DATA.words["stage_" + stage]));
    row.append(item);
  }
  figure.querySelector(".legend:not(.stage-key)").before(row);
}
