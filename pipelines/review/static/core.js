"use strict";
// State, filters and small tools. Plain scripts, no modules: browsers do not load modules from a folder.

const Review = {
  data: null,
  byId: new Map(),
  siblings: new Map(),
  details: new Map(),
  proofs: new Map(),
  waiting: new Map(),
  chosen: new Set(),
  shared: new Set(), // titles that several products have
  found: [],
  tab: "all",
  page: 0,
  pageSize: 48,

  load(data) {
    this.data = data;
    if (data.mode !== "serve") STATES.open = "Ready";
    const firsts = new Map();
    data.items.forEach((item, number) => {
      item.n = number;
      this.byId.set(item.i, item);
      if (!firsts.has(item.t)) firsts.set(item.t, item.p);
      else if (firsts.get(item.t) !== item.p) this.shared.add(item.t);
      const group = item.p + "\n" + item.b;
      if (!this.siblings.has(group)) this.siblings.set(group, []);
      this.siblings.get(group).push(item);
    });
  },

  get serves() { return this.data.mode === "serve"; },

  ofProduct(item) { return this.siblings.get(item.p + "\n" + item.b) || [item]; },

  // Details come as scripts, since a page opened from a folder may not fetch.
  detailsOf(item) { return this.wait("details", item.i, `details/${Math.floor(item.n / this.data.perFile)}.js`); },
  proofOf(item) { return this.wait("proofs", item.i, `proof/${item.i}.js`); },

  put(kind, entries) {
    for (const [id, value] of Object.entries(entries)) this[kind].set(id, value);
  },

  wait(kind, id, source) {
    if (this[kind].has(id)) return Promise.resolve(this[kind].get(id));
    if (!this.waiting.has(source)) {
      this.waiting.set(source, new Promise((resolve) => {
        const script = document.createElement("script");
        script.src = source;
        script.onload = script.onerror = () => { this.waiting.delete(source); script.remove(); resolve(); };
        document.head.append(script);
      }));
    }
    return this.waiting.get(source).then(() => this[kind].get(id) || null);
  },

  decisionOf(item) { return this.data.decisions[item.i] || {}; },

  optOutOf(item) {
    return this.data.optouts.find((wish) => (!wish.product || wish.product === item.p) && (!wish.feature || wish.feature === item.k));
  },

  stateOf(item) {
    const decision = this.decisionOf(item);
    if (decision.verdict) return decision.verdict;
    if (item.o !== "enhanced") return item.o;
    return "open";
  },
};

const STATES = {
  open: "To decide",
  accepted: "Accepted",
  refused: "Refused",
  withdrawn: "Withdrawn",
  rejected: "Original stays",
  skipped: "Skipped",
  failed: "Could not be made",
};
const FEATURES = { background: "new background", outpaint: "extended scene", scene: "scenes of several products" };

// An element with text, attributes and children. Texts are texts: nothing that a feed holds is ever read as HTML.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const byId = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en-GB");
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
const placementName = (name) => name.split("_").map((part) => PLATFORM_WORDS[part] || part).join(" ");
const PLATFORM_WORDS = { pinterest: "Pinterest", pmax: "Google PMax", meta: "Meta", standard: "standard", "": "–" };
// Scenes of several seeds have the same products and the same placement.
const slotOf = (item) => placementName(item.s) + (item.d ? ` · seed ${item.d}` : "");
const titleOf = (item) => (item.t && Review.shared.has(item.t) ? [item.t, item.p].filter(Boolean).join(" · ") : item.t || item.p || "Product without a name");

function whenOf(text) {
  const when = new Date(text);
  return Number.isNaN(when.getTime()) ? text : when.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

function tabOf(item) { return Review.stateOf(item); }

function matches(item, wanted) {
  if (wanted.placement && item.s !== wanted.placement) return false;
  if (wanted.category && item.c !== wanted.category) return false;
  if (wanted.reason && item.r !== wanted.reason) return false;
  if (wanted.q && !`${item.t}\n${item.p}\n${item.d ? `seed ${item.d}` : ""}`.toLowerCase().includes(wanted.q)) return false;
  if (wanted.score !== "" && (wanted.from !== null || wanted.to !== null)) {
    const value = item.z[wanted.score];
    if (value === null) return false;
    if (wanted.from !== null && value < wanted.from) return false;
    if (wanted.to !== null && value > wanted.to) return false;
  }
  return true;
}

function wantedNow() {
  const form = byId("filter-form");
  const number = (name) => (form.elements[name].value === "" ? null : Number(form.elements[name].value));
  const wanted = { from: number("from"), to: number("to") };
  for (const name of ["placement", "category", "reason", "score", "sort"]) wanted[name] = form.elements[name].value;
  wanted.q = form.elements.q.value.trim().toLowerCase();
  return wanted;
}

function search() {
  const wanted = wantedNow();
  const fitting = Review.data.items.filter((item) => matches(item, wanted));
  const counts = { all: fitting.length };
  for (const item of fitting) { const tab = tabOf(item); counts[tab] = (counts[tab] || 0) + 1; }
  Review.found = Review.tab === "all" ? fitting : fitting.filter((item) => tabOf(item) === Review.tab);
  if (wanted.sort && wanted.score !== "") {
    const sign = wanted.sort === "down" ? -1 : 1;
    const value = (item) => item.z[wanted.score];
    Review.found.sort((a, b) => (value(a) === null) - (value(b) === null) || sign * (value(a) - value(b)) || a.n - b.n);
  }
  return counts;
}
