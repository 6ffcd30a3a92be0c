const FEW = 12; // rows beside the misses that a study shows at first, half of it below its charts
const BUDGET = 12; // milliseconds of drawing at a stretch
const rowsOf = DATA.studies.map(() => []);
C.study.forEach((study, i) => rowsOf[study].push(i));
const cards = [...document.querySelectorAll(".study")];
const open = new Set();
const wanted = {};
const form = document.querySelector(".filters");
const find = document.getElementById("find");
const order = document.getElementById("order");
const said = document.getElementById("shown");
const SEARCHED = ["label", "endpoint", "unit", "arm", "against", "reason", "flag", "printed", "as_printed", "corrected"];
const lower = DATA.texts.map((one) => one.toLowerCase());
let left = DATA.studies.map((_, study) => rowsOf[study]);
let waiting = [];
let timer = 0;

const passes = {
  drug: (i, value) => DATA.studies[C.study[i]].drugs.includes(value),
  species: (i, value) => DATA.studies[C.study[i]].species === value,
  endpoint: (i, value) => (value.startsWith("group:") ? text("group", i) === value.slice(6) : text("endpoint", i) === value.slice(3)),
  use: (i, value) => text("use", i) === value,
  verdict: (i, value) => text("verdict", i) === value,
  engine: (i, value) => text("engine", i) === value,
};

/** What of a study is drawn: charts over time, then its rows, of which no miss is ever folded away. */
function fill(study) {
  const holder = cards[study].querySelector(".drawn");
  const all = rowsOf[study];
  const mine = new Set(left[study]);
  const parts = [];
  const courses = panelsOf(all).filter((course) => course.some((i) => mine.has(i)));
  if (courses.length) parts.push(node("div", "panels", ...courses.map(panel)));
  let room = open.has(study) ? Infinity : courses.length ? FEW / 2 : FEW;
  const shown = new Set(left[study].filter((i) => isMiss(i) || room-- > 0));
  const before = new Set([DATA.studies[study].reason]); // said at the head already
  for (const block of blocksOf(all)) {
    const rows = block.rows.filter((i) => shown.has(i));
    if (!rows.length) continue;
    const first = rows[0];
    const label = text("label", first);
    const plain = text("engine", first) === "turnover" || !label || label === text("endpoint", first) || text("table", first) === "risk_factors.csv";
    const quantity = node("small", "", plain ? "" : label.replaceAll("_", " "));
    quantity.lang = "en";
    const unit = block.worded ? say("ratio_axis") : text("unit", first);
    const head = node("div", "head", node("h4", "", text("endpoint", first), plain ? "" : quantity), ruler(block.axis), node("small", "unit", unit));
    const list = node("ul", "rows", ...rows.map((i) => row(i, block.axis, before)));
    parts.push(node("div", "block", head, list));
  }
  const more = mine.size - shown.size;
  if (more > 0) {
    const button = node("button", "more", say("more", { n: more }));
    button.type = "button";
    button.addEventListener("click", () => {
      open.add(study);
      fill(study);
      holder.focus();
    });
    parts.push(button);
  }
  holder.tabIndex = -1;
  holder.replaceChildren(...parts);
}

/** Draws what waits, a little at a time, so that the page stays quick to the hand. */
function work(all) {
  clearTimeout(timer);
  const until = performance.now() + BUDGET;
  while (waiting.length && (all || performance.now() < until)) fill(waiting.shift());
  if (waiting.length) timer = setTimeout(work, 0);
}

function sorted() {
  const bad = DATA.studies.map(() => Infinity);
  DATA.worst.forEach((i, place) => { bad[C.study[i]] = Math.min(bad[C.study[i]], place); });
  const kept = DATA.studies.map((_, study) => study);
  const year = (study) => DATA.studies[study].year || "0";
  const by = {
    worst: (a, b) => (bad[a] === bad[b] ? a - b : bad[a] - bad[b]),
    name: (a, b) => a - b,
    year: (a, b) => year(b).localeCompare(year(a)) || a - b,
  };
  return kept.sort(by[order.value]);
}

function apply() {
  const terms = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const asked = Object.entries(wanted).filter(([, value]) => value);
  const chosen = (i) => asked.every(([name, value]) => passes[name](i, value));
  const told = (i, term) => DATA.studies[C.study[i]].text.includes(term) || SEARCHED.some((name) => lower[C[name][i]].includes(term));
  const narrowed = asked.length + terms.length > 0;
  let [rows, studies] = [0, 0];
  left = rowsOf.map((all, study) => {
    const mine = all.filter((i) => chosen(i) && terms.every((term) => told(i, term)));
    const named = !asked.length && terms.every((term) => DATA.studies[study].text.includes(term));
    const off = narrowed && !mine.length && !(named && !all.length);
    cards[study].classList.toggle("off", off);
    rows += mine.length;
    studies += !off;
    return mine;
  });
  said.textContent = say("shown", { rows, total: C.study.length, studies, all: cards.length });
  const sequence = sorted();
  document.getElementById("cards").append(...sequence.map((study) => cards[study]));
  waiting = sequence.filter((study) => !cards[study].classList.contains("off"));
  work(false);
}

/** Shows a row or a study that a link names, whatever was filtered away. */
function reveal() {
  const id = decodeURIComponent(location.hash.slice(1));
  const [kind, name] = [id.slice(0, id.indexOf("-")), id.slice(id.indexOf("-") + 1)];
  if (kind !== "row" && kind !== "study") return;
  const study = kind === "row" ? C.study[+name] : DATA.studies.findIndex((one) => one.key === name);
  if (study === undefined || study < 0) return;
  if (cards[study].classList.contains("off") || (kind === "row" && !left[study].includes(+name))) {
    clear();
  }
  work(true);
  if (kind === "row" && !document.getElementById(id)) {
    open.add(study);
    fill(study);
  }
  const target = document.getElementById(id);
  for (const one of document.querySelectorAll(".found")) one.classList.remove("found");
  target.classList.add("found");
  target.scrollIntoView({ block: kind === "row" ? "center" : "start" });
}

/** Everything is shown again. */
function clear() {
  form.reset();
  for (const name of Object.keys(wanted)) wanted[name] = "";
  apply();
}

for (const box of document.querySelectorAll("[data-filter]")) {
  wanted[box.dataset.filter] = "";
  box.addEventListener("change", () => {
    wanted[box.dataset.filter] = box.value;
    apply();
  });
}
let typing = 0;
find.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(apply, 120);
});
order.addEventListener("change", apply);
form.addEventListener("submit", (event) => event.preventDefault());
form.querySelector("button").addEventListener("click", clear);
form.hidden = false;
// A browser may bring choices back with the page.
for (const box of document.querySelectorAll("[data-filter]")) wanted[box.dataset.filter] = box.value;
apply();
addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => { ROOT.classList.add("print"); work(true); });
addEventListener("afterprint", () => ROOT.classList.remove("print"));
if (location.hash) reveal();
// The same link twice changes no address.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-row]");
  if (link && link.hash === location.hash) reveal();
});
