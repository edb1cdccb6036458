"use strict";
// The list: tabs, filters, cards, pages, the keyboard, and the start of it all.

const TABS = ["all", "open", "accepted", "refused", "withdrawn", "rejected", "skipped", "failed"];

function show(keepPage = false) {
  const counts = search();
  const pages = Math.max(1, Math.ceil(Review.found.length / Review.pageSize));
  Review.page = keepPage ? Math.min(Review.page, pages - 1) : 0;
  drawTabs(counts);
  drawCards();
  drawPager(pages);
  drawBulk();
}

function drawTabs(counts) {
  const present = TABS.filter((tab) => tab === "all" || counts[tab] || tab === Review.tab || (Review.serves && ["open", "accepted", "refused"].includes(tab)));
  byId("tabs").replaceChildren(...present.map((tab) => make("button", {
    type: "button", class: `tab ${tab}`, "aria-pressed": String(tab === Review.tab), "data-tab": tab,
    onclick: () => { Review.tab = tab; show(); byId("tabs").querySelector(`[data-tab="${tab}"]`).focus(); },
  }, make("b", {}, count(counts[tab] || 0)), make("span", {}, tab === "all" ? "All" : STATES[tab]))));
}

function drawCards() {
  const from = Review.page * Review.pageSize;
  const cards = Review.found.slice(from, from + Review.pageSize).map((item, number) => card(item, number));
  byId("grid").replaceChildren(...cards);
  byId("empty").hidden = Review.found.length > 0;
  const to = Math.min(from + Review.pageSize, Review.found.length);
  byId("shown").textContent = Review.found.length ? `${count(from + 1)}–${count(to)} of ${plural(Review.found.length, "creative")}` : "None";
}

function drawPager(pages) {
  byId("pager").hidden = pages < 2;
  byId("page").textContent = `Page ${Review.page + 1} of ${pages}`;
  byId("previous").disabled = Review.page === 0;
  byId("next").disabled = Review.page >= pages - 1;
}

function turn(step) {
  Review.page += step;
  show(true);
  byId("results").scrollIntoView();
  byId("results").focus({ preventScroll: true });
}

function thumbOf(item) {
  if (item.o === "enhanced") return `thumb/${item.i}.jpg`;
  return item.b ? `small/${item.b}.jpg` : "";
}

function card(item, number) {
  const state = Review.stateOf(item);
  const decision = Review.decisionOf(item);
  const source = thumbOf(item);
  const eager = number < 8 ? "eager" : "lazy";
  const reason = item.o === "enhanced" ? "" : Review.data.reasons[item.r].title;
  return make("li", { class: `card ${state}`, "data-id": item.i },
    make("a", { class: "picture", href: `#${item.i}`, "data-open": item.i, "aria-label": `${titleOf(item)}, ${slotOf(item)}, ${STATES[state]}` },
      source ? make("img", { src: source, alt: "", loading: eager, decoding: "async", width: item.w, height: item.h }) : make("span", { class: "no-picture" }, "No photo"),
      item.o === "enhanced" && item.b ? make("img", { class: item.k === "scene" ? "inset row" : "inset", src: `small/${item.b}.jpg`, alt: "", loading: eager, decoding: "async", ...(item.k === "scene" ? {} : { width: 56, height: 56 }) }) : null),
    Review.serves ? make("label", { class: "choose" }, make("input", { type: "checkbox", "aria-label": `Choose ${titleOf(item)}, ${slotOf(item)}`, checked: Review.chosen.has(item.i), "data-choose": item.i })) : null,
    make("div", { class: "caption" },
      make("p", { class: "title", title: titleOf(item) }, titleOf(item)),
      make("p", { class: "slot" }, slotOf(item)),
      make("p", { class: "chips" },
        make("span", { class: `chip ${state}` }, STATES[state]),
        reason ? make("span", { class: "reason" }, reason) : null,
        decision.flags?.length ? make("span", { class: "chip flag" }, "Flagged") : null,
        decision.retry ? make("span", { class: "chip retry" }, "Another one next") : null,
        Review.optOutOf(item) ? make("span", { class: "chip optout" }, "Opted out") : null)),
    quickButtons(item, state));
}

function quickButtons(item, state) {
  if (!Review.serves || item.o !== "enhanced") return null;
  const name = `${titleOf(item)}, ${slotOf(item)}`;
  const button = (action, words, kind, pressed) => make("button", {
    type: "button", class: `button ${kind}`, "data-quick": action, "aria-pressed": String(pressed), "aria-label": `${words} ${name}`,
  }, words);
  return make("div", { class: "quick" }, button("accept", "Accept", "good", state === "accepted"), button("refuse", "Refuse", "bad", state === "refused"));
}

function redraw(ids) {
  // Only what changed: the page stays where it is.
  const counts = search();
  drawTabs(counts);
  for (const id of ids) {
    const old = document.querySelector(`#grid [data-id="${id}"]`);
    if (!old) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement.dataset : null;
    const fresh = card(Review.byId.get(id), 0);
    old.replaceWith(fresh);
    if (focused) (fresh.querySelector(focused.quick ? `[data-quick="${focused.quick}"]` : "[data-open]") || fresh.querySelector("a")).focus();
  }
  byId("shown").textContent ||= "";
}

function drawBulk() {
  if (!Review.serves) return;
  byId("bulk").hidden = Review.chosen.size === 0;
  byId("bulk-count").textContent = `${plural(Review.chosen.size, "creative")} chosen`;
  document.body.classList.toggle("with-bulk", Review.chosen.size > 0);
}

function choose(id, on) {
  if (on) Review.chosen.add(id); else Review.chosen.delete(id);
  const box = document.querySelector(`[data-choose="${id}"]`);
  if (box) box.checked = on;
  drawBulk();
}

function fillFilters() {
  const { items, reasons, scores } = Review.data;
  const form = byId("filter-form");
  const options = (name, all, entries) => form.elements[name].replaceChildren(make("option", { value: "" }, all), ...entries.map(([value, words]) => make("option", { value }, words)));
  const distinct = (key) => [...new Set(items.map((item) => item[key]).filter(Boolean))].sort();
  options("placement", "All", distinct("s").map((name) => [name, placementName(name)]));
  options("category", "All", distinct("c").map((name) => [name, name]));
  options("reason", "All", distinct("r").map((name) => [name, reasons[name].title]));
  const used = scores.map((score, at) => [at, score]).filter(([at]) => items.some((item) => item.z[at] !== null));
  options("score", "–", used.map(([at, score]) => [String(at), `${score.words}${score.more ? "" : " (less is better)"}`]));
  const react = () => {
    const wanted = wantedNow();
    const on = ["placement", "category", "reason", "q"].filter((name) => wanted[name]).length + (wanted.from !== null || wanted.to !== null ? 1 : 0);
    byId("filters-on").textContent = on ? `(${on} on)` : "";
    show();
  };
  form.addEventListener("input", react);
  form.addEventListener("reset", () => setTimeout(react));
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("filters").open = matchMedia("(min-width: 48rem)").matches;
}

function onGridClick(event) {
  const open = event.target.closest("[data-open]");
  const quick = event.target.closest("[data-quick]");
  if (quick) decide(quick.dataset.quick, [quick.closest("[data-id]").dataset.id]);
  else if (open) { event.preventDefault(); openDetail(open.dataset.open); }
}

function isTyping(event) { return event.target.closest("input:not([type=checkbox]):not([type=range]):not([type=radio]), select, textarea") !== null; }

function neighbour(step) {
  const links = [...document.querySelectorAll("#grid [data-open]")];
  const now = links.indexOf(document.activeElement.closest?.(".card")?.querySelector("[data-open]"));
  const next = links[now < 0 ? 0 : Math.min(Math.max(now + step, 0), links.length - 1)];
  next?.focus();
}

const GRID_KEYS = { a: "accept", r: "refuse", t: "retry", f: "flag", w: "withdraw" };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (byId("ask").open || byId("help").open) return;
  if (key === "?") { byId("help").showModal(); event.preventDefault(); return; }
  if (key === "u" && Review.serves) { undoLast(); return; }
  if (byId("detail").open) { onDetailKey(key, event); return; }
  const id = document.activeElement.closest?.("[data-id]")?.dataset.id;
  if (key === "/") { byId("filters").open = true; byId("filter-form").elements.q.focus(); event.preventDefault(); }
  else if (key === "ArrowRight" || key === "j") { neighbour(1); event.preventDefault(); }
  else if (key === "ArrowLeft" || key === "k") { neighbour(-1); event.preventDefault(); }
  else if (Review.serves && id && key === "x") choose(id, !Review.chosen.has(id));
  else if (Review.serves && id && GRID_KEYS[key]) decide(GRID_KEYS[key], [id]);
}

function start() {
  fillFilters();
  byId("grid").addEventListener("click", onGridClick);
  byId("grid").addEventListener("change", (event) => { if (event.target.dataset.choose) choose(event.target.dataset.choose, event.target.checked); });
  // A picture that cannot be loaded leaves its frame, and says so.
  byId("grid").addEventListener("error", (event) => { if (event.target.matches("img")) event.target.classList.add("missing"); }, true);
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  document.addEventListener("keydown", onKey);
  if (Review.serves) startDeciding();
  show();
  if (Review.byId.has(location.hash.slice(1))) openDetail(location.hash.slice(1));
  document.body.dataset.ready = "yes";
}

start();
