const made = new Map();
const charts = Object.fromEntries(DATA.charts.map((chart) => [chart.id, chart]));

/** Makers of every chart on the page, by the element that is measured for its width. */
function* makers() {
  for (const figure of document.querySelectorAll("[data-lanes]")) yield [figure, () => lanes(figure, figure.dataset.lanes)];
  for (const panel of document.querySelectorAll("[data-tissue] .multiple")) yield [panel, () => tissue(panel, +panel.dataset.arm)];
  for (const figure of document.querySelectorAll("[data-chart]")) yield [figure, () => line(figure, charts[figure.dataset.chart])];
}

function drop(node) {
  const plot = made.get(node);
  if (!plot) return;
  plots[plot.clock].delete(plot);
  plot.destroy();
  made.delete(node);
}

/** Draws what is not drawn yet, or with `again` everything, and skips what is folded away. */
function draw(again) {
  for (const [node, make] of makers()) {
    if (again) drop(node);
    if (made.has(node)) continue;
    const plot = make();
    if (plot) made.set(node, plot);
  }
}

function dress() {
  for (const node of document.querySelectorAll(".swatch[data-arm]")) swatch(node, +node.dataset.arm);
}

function redraw() {
  dress();
  draw(true);
}

/** Charts follow the width of their column. */
function follow() {
  let width = document.documentElement.clientWidth;
  let timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (document.documentElement.clientWidth === width || ROOT.classList.contains("print")) return;
      width = document.documentElement.clientWidth;
      draw(true);
    }, 120);
  });
}

function armButtons() {
  for (const button of document.querySelectorAll(".toggles button")) {
    button.addEventListener("click", () => {
      const arm = +button.dataset.arm;
      shown[arm] = !shown[arm];
      if (!shown.includes(true)) shown.fill(true);
      for (const one of document.querySelectorAll(".toggles button")) one.setAttribute("aria-pressed", String(shown[+one.dataset.arm]));
      for (const panel of document.querySelectorAll(".multiple")) panel.classList.toggle("off", !shown[+panel.dataset.arm]);
      draw(true);
    });
  }
}

function rangeButtons() {
  for (const group of document.querySelectorAll(".ranges[data-clock]")) {
    const x = CLOCK[group.dataset.clock] || [0, 0];
    const length = x[x.length - 1] - x[0];
    for (const button of group.querySelectorAll("button")) {
      const span = button.dataset.span === "all" ? "all" : +button.dataset.span;
      if (span !== "all" && span >= length * 0.99) button.remove();
      else button.addEventListener("click", () => zoom(group.dataset.clock, span));
    }
    if (group.querySelectorAll("button").length < 2) group.remove();
  }
}

function tissueButtons() {
  const buttons = [...document.querySelectorAll("[data-of]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      tissueOf = button.dataset.of;
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
      draw(true);
    });
  }
}

function parameterTable() {
  const table = document.getElementById("parameter-table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const box = document.getElementById("filter");
  const output = document.getElementById("shown");
  const filter = () => {
    const terms = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const one of rows) {
      one.row.hidden = !terms.every((term) => one.text.includes(term));
      count += one.row.hidden ? 0 : 1;
    }
    output.textContent = fill(DATA.words.shown, { shown: count, total: rows.length });
  };
  box.addEventListener("input", filter);
  filter();
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (one) => one.row.cells[column].dataset.sort || one.row.cells[column].textContent;
    const order = (a, b) => value(a).localeCompare(value(b), ROOT.lang, { numeric: false });
    const figures = (a, b) => Number(value(a)) - Number(value(b)) || order(a, b);
    const chosen = head.classList.contains("value") ? figures : order;
    body.append(...rows.slice().sort((a, b) => (up ? 1 : -1) * chosen(a, b)).map((one) => one.row));
  }));
}

/** On paper the page is light and narrow whatever the screen was. */
function paper(on) {
  if (ROOT.classList.contains("print") === on) return;
  ROOT.classList.toggle("print", on);
  redraw();
}

dress();
rangeButtons();
armButtons();
tissueButtons();
parameterTable();
follow();
draw(false);
for (const fold of document.querySelectorAll("main details")) fold.addEventListener("toggle", () => draw(false));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
matchMedia("print").addEventListener("change", (event) => paper(event.matches));
addEventListener("beforeprint", () => paper(true));
addEventListener("afterprint", () => paper(false));
