(() => {
"use strict";
const cards = [...document.querySelectorAll(".claim")];
const said = document.getElementById("shown");
const find = document.getElementById("find");
const wanted = {};

function apply() {
  const text = find.value.trim().toLowerCase();
  let left = 0;
  for (const card of cards) {
    const off = Object.entries(wanted).some(([key, value]) => value && card.dataset[key] !== value)
      || (text && !card.textContent.toLowerCase().includes(text));
    card.classList.toggle("off", Boolean(off));
    left += !off;
  }
  said.textContent = said.dataset.text.replace("{shown}", left).replace("{total}", cards.length);
}

/** A link to a claim that is filtered away shows all again. */
function reveal() {
  const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!card || !card.classList.contains("off")) return;
  find.value = "";
  for (const group of document.querySelectorAll("[data-filter]")) group.querySelector("button").click();
  apply();
  card.scrollIntoView();
}

for (const group of document.querySelectorAll("[data-filter]")) {
  const buttons = [...group.querySelectorAll("button")];
  wanted[group.dataset.filter] = "";
  for (const button of buttons) {
    button.addEventListener("click", () => {
      wanted[group.dataset.filter] = button.dataset.value;
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
      apply();
    });
  }
}
find.addEventListener("input", apply);
addEventListener("hashchange", reveal);
document.querySelector(".filters").hidden = false;
apply();
})();
