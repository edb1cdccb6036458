"use strict";
// Decisions: asked for, sent, undone. They are kept by the server.

const REFUSALS = { product_changed: "The product changed", ugly_background: "Ugly background", wrong_mood: "Wrong mood", other: "Something else" };
const DONE = { accept: "accepted", refuse: "refused", withdraw: "withdrawn", retry: "will be tried again", flag: "flagged", opt_out: "opted out" };
let lastBatch = null;

// Which of the chosen creatives an action can be taken on.
const POSSIBLE = {
  accept: (item) => item.o === "enhanced",
  refuse: (item) => item.o === "enhanced",
  withdraw: (item) => Review.stateOf(item) === "accepted",
  retry: (item) => item.y === 1,
  flag: () => true,
  opt_out: (item) => item.p !== "",
};
const IMPOSSIBLE = {
  accept: "There is no creative to accept.",
  refuse: "There is no creative to refuse.",
  withdraw: "Only an accepted creative can be withdrawn.",
  retry: "Another candidate would end the same way: the photo itself is the cause.",
  opt_out: "The row names no product to opt out. Correct it in your feed.",
};

function decisionButtons(item, state) {
  const button = (action, words, kind = "", pressed = null) => make("button", { type: "button", class: `button ${kind}`, "aria-pressed": pressed === null ? null : String(pressed), onclick: () => decide(action, [item.i]) }, words);
  const ready = item.o === "enhanced";
  return make("div", { class: "decide" },
    ready ? make("div", { class: "main" }, button("accept", "Accept", "good", state === "accepted"), button("refuse", "Refuse…", "bad", state === "refused")) : null,
    make("div", { class: "rest" },
      state === "accepted" ? button("withdraw", "Withdraw") : null,
      item.y ? button("retry", "Try another candidate") : null,
      button("flag", "Flag a defect…"),
      button("opt_out", "Opt out…")));
}

async function decide(action, ids) {
  const possible = ids.filter((id) => POSSIBLE[action](Review.byId.get(id)));
  if (!possible.length) { say(IMPOSSIBLE[action]); return; }
  const more = await askMore(action, possible);
  if (more === null) return;
  await send("decisions", { action, ids: possible, ...more }, (answer) => {
    lastBatch = answer.batch;
    const left = ids.length - possible.length;
    const words = action === "opt_out" ? "Opted out from the next run on." : `${plural(possible.length, "creative")} ${DONE[action]}.${left ? ` ${plural(left, "other")} left alone.` : ""}`;
    say(words, true);
  });
}

async function undoLast() {
  if (!lastBatch) { say("Nothing to undo."); return; }
  await undo(lastBatch);
}

async function undo(batch) {
  await send("undo", { batch }, () => { if (batch === lastBatch) lastBatch = null; say("Undone."); });
}

async function send(path, body, then) {
  let answer;
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": document.querySelector("meta[name=csrf]").content },
      body: JSON.stringify(body),
    });
    answer = await response.json();
    if (!response.ok) throw new Error(answer.error || response.statusText);
  } catch (error) {
    say(`Not saved: ${error.message}`);
    return;
  }
  Object.assign(Review.data.decisions, answer.decisions);
  Review.data.optouts = answer.optouts;
  then(answer);
  const changed = Object.keys(answer.decisions);
  if (answer.optoutsChanged) show(true); else redraw(changed);
  drawOptOuts();
  if (shown) refreshDetail();
}

function refreshDetail() {
  const focused = document.activeElement.textContent;
  drawPanel();
  const others = byId("detail").querySelector(".others");
  if (others) others.replaceWith(otherPlacements(shown));
  [...byId("panel").querySelectorAll("button")].find((button) => button.textContent === focused)?.focus();
}

// Asks for what an action needs beside the creatives. Null where it was cancelled.
function askMore(action, ids) {
  if (action === "refuse") return askRefusal(ids);
  if (action === "flag") return ask("Flag a defect", [note("What is wrong?", true)], "Flag", (form) => ({ note: form.elements.note.value.trim() }));
  if (action === "opt_out") return askOptOut(Review.byId.get(ids[0]));
  return Promise.resolve({});
}

function note(words, needed = false) {
  return make("label", { class: "note" }, words, make("textarea", { name: "note", rows: "2", maxlength: "500", required: needed }));
}

function choices(name, entries) {
  return make("fieldset", {}, make("legend", {}, "Choose one"), ...entries.map(([value, words], at) => make("label", { class: "choice" }, make("input", { type: "radio", name, value, checked: at === 0, required: true }), ` ${words}`)));
}

function askRefusal(ids) {
  const title = ids.length === 1 ? "Why do you refuse it?" : `Why do you refuse these ${ids.length}?`;
  return ask(title, [choices("reason", Object.entries(REFUSALS)), note("Anything to add? (not needed)"), make("p", { class: "fine" }, "The next run paints another one. A refused creative is not delivered.")], "Refuse",
    (form) => ({ reason: form.elements.reason.value, note: form.elements.note.value.trim() }));
}

function askOptOut(item) {
  const entries = item.k === "scene" ? [["product_feature", "This group: no more scenes"], ["feature", "All my groups: no more scenes"]] : [["product", "This product: no more creatives"]];
  if (item.k && item.k !== "scene") entries.push(["product_feature", `This product: no ${FEATURES[item.k]}`], ["feature", `All my products: no ${FEATURES[item.k]}`]);
  return ask("Opt out", [choices("scope", entries), note("Why? (not needed)"), make("p", { class: "fine" }, "Holds from the next run on. You can undo it under More, Opt-outs.")], "Opt out",
    (form) => ({ scope: form.elements.scope.value, note: form.elements.note.value.trim() }));
}

function ask(title, body, words, read) {
  const dialog = byId("ask");
  return new Promise((resolve) => {
    const form = make("form", { method: "dialog" }, make("h2", { id: "ask-title" }, title), ...body,
      make("div", { class: "buttons" }, make("button", { class: `button ${words === "Refuse" ? "bad" : "good"} strong`, value: "yes" }, words), make("button", { type: "button", class: "button quiet", onclick: () => dialog.close("") }, "Cancel")));
    dialog.replaceChildren(form);
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? read(form) : null), { once: true });
    dialog.showModal();
  });
}

let toastTimer = 0;
const toast = byId("toast");
function say(words, canUndo = false) {
  toast.replaceChildren(words, canUndo ? make("button", { type: "button", class: "button", onclick: undoLast }, "Undo") : "");
  // A modal dialog hides what lies outside of it.
  (byId("detail").open ? byId("detail") : document.body).append(toast);
  toast.classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("on"), 8000);
}

function drawOptOuts() { byId("optouts-count").textContent = Review.data.optouts.length ? `(${Review.data.optouts.length})` : ""; }

function listOptOuts() {
  const dialog = byId("ask");
  const rows = Review.data.optouts.map((wish) => make("li", {},
    make("span", {}, `${wish.product || "All products"}: ${wish.feature ? `no ${FEATURES[wish.feature]}` : "no creatives"} `, make("small", {}, `${wish.by}, ${whenOf(wish.at)}`)),
    make("button", { type: "button", class: "button", onclick: async () => { await undo(wish.batch); listOptOuts(); } }, "Undo")));
  dialog.replaceChildren(make("h2", { id: "ask-title" }, "Opt-outs"), rows.length ? make("ul", { class: "optouts" }, ...rows) : make("p", {}, "There are none."),
    make("div", { class: "buttons" }, make("button", { type: "button", class: "button", onclick: () => dialog.close("") }, "Close")));
  if (!dialog.open) dialog.showModal();
}

function startDeciding() {
  byId("select-all").addEventListener("click", () => {
    const all = Review.found.every((item) => Review.chosen.has(item.i));
    Review.chosen = new Set(all ? [] : Review.found.map((item) => item.i));
    drawCards();
    drawBulk();
  });
  byId("bulk-clear").addEventListener("click", () => { Review.chosen.clear(); drawCards(); drawBulk(); });
  byId("bulk").addEventListener("click", async (event) => {
    const action = event.target.closest("[data-do]")?.dataset.do;
    if (action) await decide(action, [...Review.chosen]);
  });
  byId("optouts-open").addEventListener("click", () => { byId("more").open = false; listOptOuts(); });
  document.addEventListener("click", (event) => { if (!event.target.closest("#more")) byId("more").open = false; });
  drawOptOuts();
}
