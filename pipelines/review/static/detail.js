"use strict";
// One creative: its picture, its other placements, what was decided, why, the proof, and how it was made.

let shown = null;
let viewer = null;

function openDetail(id) {
  const item = Review.byId.get(id);
  if (!item) return;
  const dialog = byId("detail");
  const view = viewer ? { view: viewer.view, zones: viewer.zones } : {};
  shown = item;
  viewer = item.o === "enhanced" ? new Viewer(item) : null;
  if (viewer) { Object.assign(viewer, view); viewer.redraw(); }
  dialog.replaceChildren(detailHead(item), make("div", { class: "detail-body" },
    make("div", { class: "stage" }, viewer ? viewer.element : originalOnly(item), viewer && item.k === "scene" ? photosOf(item) : null, otherPlacements(item)),
    make("aside", { class: "panel", id: "panel", "aria-label": "About this creative" })));
  drawPanel();
  if (!dialog.open) {
    dialog.showModal();
    dialog.addEventListener("close", onDetailClose, { once: true });
  }
  history.replaceState(null, "", `#${id}`);
  dialog.querySelector(".close").focus();
}

function onDetailClose() {
  const id = shown?.i;
  history.replaceState(null, "", location.pathname + location.search);
  viewer = shown = null;
  document.body.append(byId("toast"));
  byId("detail").replaceChildren();
  document.querySelector(`#grid [data-open="${id}"]`)?.focus();
}

function detailHead(item) {
  const at = Review.found.indexOf(item);
  const go = (step) => { const next = Review.found[at + step]; if (next) openDetail(next.i); };
  return make("header", { class: "detail-head" },
    make("button", { type: "button", class: "button quiet close", onclick: () => byId("detail").close() }, "‹ Back"),
    make("h2", { id: "detail-title" }, titleOf(item), make("small", {}, ` ${slotOf(item)}`, item.s ? make("span", { class: "pixels" }, ` · ${item.w} × ${item.h}`) : null)),
    make("div", { class: "steps" },
      make("button", { type: "button", class: "button", "aria-label": "Previous creative", disabled: at < 1, onclick: () => go(-1) }, "←"),
      make("button", { type: "button", class: "button", "aria-label": "Next creative", disabled: at < 0 || at >= Review.found.length - 1, onclick: () => go(1) }, "→")));
}

function originalOnly(item) {
  if (!item.b) return make("div", { class: "viewer nothing" }, make("p", {}, "There is no photo to show."));
  if (item.k === "scene") return make("div", { class: "viewer nothing" }, photosOf(item));
  return make("div", { class: "viewer nothing" }, make("figure", {},
    make("img", { src: `original/${item.b}.jpg`, alt: `Your photo of ${titleOf(item)}` }),
    make("figcaption", {}, "Your photo, as it is")));
}

// The photos that a scene was made from, beside it.
function photosOf(item) {
  return make("figure", { class: "photos" }, make("img", { src: `original/${item.b}.jpg`, alt: `Your photos of ${titleOf(item)}` }), make("figcaption", {}, "Your photos, as they are"));
}

function otherPlacements(item) {
  const all = Review.ofProduct(item);
  if (all.length < 2) return null;
  return make("nav", { class: "others", "aria-label": "Placements of this product" }, ...all.map((other) => {
    const state = Review.stateOf(other);
    const source = thumbOf(other);
    return make("button", { type: "button", class: "other", "aria-current": other === item ? "true" : null, onclick: () => openDetail(other.i) },
      make("span", { class: "frame" }, source ? make("img", { src: source, alt: "", width: other.w, height: other.h }) : null),
      make("span", { class: "slot" }, slotOf(other)),
      make("span", { class: `chip ${state}` }, STATES[state]));
  }));
}

async function drawPanel() {
  const item = shown;
  if (!item) return;
  const state = Review.stateOf(item);
  const top = [verdict(item, state), item.o !== "enhanced" ? why(item) : null];
  const panel = byId("panel");
  panel.replaceChildren(...top.filter(Boolean), item.o === "enhanced" ? proofBox(item) : "");
  const details = await Review.detailsOf(item);
  if (shown !== item || !details) return;
  panel.append(facts(item, details));
}

function verdict(item, state) {
  const decision = Review.decisionOf(item);
  const lines = [make("p", { class: "state" }, make("span", { class: `chip big ${state}` }, STATES[state]))];
  if (decision.verdict) {
    const words = decision.reason ? `${REFUSALS[decision.reason] || decision.reason}. ` : "";
    lines.push(make("p", { class: "said" }, `${words}${decision.note ? `“${decision.note}” ` : ""}`, make("small", {}, `${decision.by}, ${whenOf(decision.at)}`)));
  }
  if (decision.retry) lines.push(make("p", { class: "said" }, "Another candidate is asked for."));
  for (const flag of decision.flags || []) lines.push(make("p", { class: "said flagged" }, `Flagged: “${flag.note}” `, make("small", {}, `${flag.by}, ${whenOf(flag.at)}`)));
  const wish = Review.optOutOf(item);
  if (wish) lines.push(make("p", { class: "said" }, `Opted out: ${wish.product ? (item.k === "scene" ? "this group" : "this product") : "all products"}${wish.feature ? `, ${FEATURES[wish.feature]}` : ""}. `, make("small", {}, `${wish.by}, ${whenOf(wish.at)}`)));
  if (Review.serves) lines.push(decisionButtons(item, state));
  else if (item.o === "enhanced") lines.push(make("p", {}, make("a", { class: "button", href: `after/${item.i}.${item.x}`, download: `${item.p}-${item.s}${item.d ? `-${item.d}` : ""}.${item.x}` }, "Download this creative")));
  return make("section", { class: "verdict", "aria-label": "Decision" }, ...lines);
}

function why(item) {
  const words = Review.data.reasons[item.r];
  return make("section", { class: "why" }, make("h3", {}, item.m ? `${words.title}: ${item.m}` : words.title), make("p", {}, words.text), item.m ? make("p", {}, "A scene is made with all its products, or not at all.") : null, make("p", { class: "advice" }, words.advice));
}

function proofBox(item) {
  const box = make("section", { class: "proof" }, make("h3", {}, "Is it still my product?"), make("p", { class: "busy" }, "Comparing with your photo…"));
  Review.proofOf(item).then((proof) => {
    if (!proof) { box.lastChild.textContent = "The proof could not be loaded."; return; }
    box.dataset.state = proof.state;
    const answer = {
      proven: `Yes. ${count(proof.compared)} pixels of ${item.k === "outpaint" ? "your photo, the product among them," : "the product"} were compared with your photo before the file was saved: ${proof.differing} differ.`,
      differs: `Not proven: ${proof.note || "the product differs from your photo"}.`,
      unread: proof.note,
    }[proof.state];
    const all = proof.compared + proof.blended + proof.kept + proof.painted;
    const share = (part) => `${((100 * part) / all).toFixed(1)} %`;
    const rows = [["your photo's own", proof.compared], ["edge, blended", proof.blended], ["around it, kept", proof.kept], ["painted", proof.painted]].filter(([, part]) => part);
    box.replaceChildren(box.firstChild, make("p", {}, answer),
      all ? make("table", { class: "parts" }, ...rows.map(([words, part]) => make("tr", {}, make("th", { scope: "row" }, words), make("td", {}, count(part)), make("td", {}, share(part))))) : "",
      make("p", { class: "fine" }, "Computed anew from your photo: scaled once as recorded, each of these pixels compared bit for bit. Saving as a file may then move colours by less than the eye sees."));
  });
  return box;
}

function table(rows) {
  return make("table", { class: "facts" }, ...rows.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, String(value)))));
}

function facts(item, details) {
  const number = (value) => (typeof value === "number" ? value.toLocaleString("en-GB", { maximumSignificantDigits: 4 }) : value);
  const made = table([
    ["What is wrong", details.wrong],
    ["Prompt", details.prompt],
    ["Feature", FEATURES[item.k]],
    ["Seed", details.seed],
    ["Candidate's seed", details.candidate_seed],
    ["Painter", details.painter],
    ["Label", details.label],
    ["Photo", details.source.width ? `${details.source.width} × ${details.source.height}, ${details.source.format}` : null],
    ["Scaled", details.scale ? `× ${number(details.scale)} (${details.kernel})` : null],
    ["File", details.bytes ? `${count(Math.round(details.bytes / 1000))} kB, quality ${details.quality}` : null],
    [item.k === "scene" ? "Group" : "Product number", item.p],
    ["Products", details.products.join(", ")],
    ["Category", item.c],
    ["Made in run", details.run],
    ["Made on", details.finished ? whenOf(details.finished) : null],
    ["Stage", item.o === "enhanced" ? null : details.stage],
    ["Measured", details.measured === null ? null : `${number(details.measured)} (limit ${number(details.limit)})`],
    ["Key", details.key],
    ["SHA-256", details.digest],
  ]);
  const scores = table(Object.entries(details.scores).map(([name, value]) => [name, number(value)]));
  const models = table(Object.entries(details.models).map(([name, digest]) => [name, digest.slice(0, 16)]));
  const open = matchMedia("(min-width: 64rem)").matches;
  const fold = (words, body, isOpen) => make("details", { open: isOpen }, make("summary", {}, words), body);
  return make("section", { class: "how" },
    fold("How it was made", made, open),
    Object.keys(details.scores).length ? fold("Scores", scores, false) : null,
    Object.keys(details.models).length ? fold("Model versions", models, false) : null);
}

function onDetailKey(key, event) {
  const inRange = event.target.matches("input[type=range]");
  const at = Review.found.indexOf(shown);
  const next = { ArrowRight: 1, ArrowLeft: -1, j: 1, k: -1 }[key];
  if (next && !inRange && !(viewer?.zoom && event.target === viewer.viewport)) {
    if (Review.found[at + next]) openDetail(Review.found[at + next].i);
    event.preventDefault();
  } else if (viewer && VIEWS[Number(key) - 1]) viewer.look(VIEWS[Number(key) - 1][0]);
  else if (viewer && key === "s") viewer.toggleZones();
  else if (viewer && (key === "+" || key === "=")) viewer.step(1);
  else if (viewer && key === "-") viewer.step(-1);
  else if (viewer && key === "0") viewer.zoomTo(0);
  else if (Review.serves && GRID_KEYS[key]) decide(GRID_KEYS[key], [shown.i]);
}
