"use strict";
// The picture of one creative: slider, layers, zoom to pixels, safe zones.

const VIEWS = [
  ["slider", "Slider"],
  ["before", "Photo"],
  ["after", "Creative"],
  ["mask", "Product"],
  ["changed", "What changed"],
];
const ZOOMS = [1, 2, 4, 8];

class Viewer {
  constructor(item) {
    this.item = item;
    this.view = "slider";
    this.split = 50;
    this.zoom = 0; // 0 fits the window
    this.zones = false;
    this.sheet = make("div", { class: "sheet" });
    this.viewport = make("div", { class: "viewport", tabindex: "0", role: "region", "aria-label": "Picture" }, this.sheet);
    this.toolbar = make("div", { class: "tools" });
    this.range = make("input", { type: "range", min: "0", max: "100", step: "0.5", value: "50", class: "split", "aria-label": "Slider: photo on the left, creative on the right", oninput: () => this.splitAt(Number(this.range.value)) });
    this.legend = make("ul", { class: "legend" });
    this.element = make("div", { class: "viewer" }, this.toolbar, this.viewport, this.range, this.legend);
    this.viewport.addEventListener("pointerdown", (event) => this.drag(event));
    this.viewport.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.resize()).observe(this.viewport);
    this.layers();
    this.redraw();
  }

  layers() {
    const { item } = this;
    const image = (kind, extension, alt) => make("img", { class: `layer ${kind}`, src: `${kind}/${item.i}.${extension}`, alt, width: item.w, height: item.h, decoding: "async", draggable: "false" });
    this.before = image("before", "jpg", `Your photo of ${titleOf(item)}`);
    this.after = image("after", item.x, `Creative of ${titleOf(item)} for ${slotOf(item)}`);
    this.handle = make("div", { class: "handle", "aria-hidden": "true" }, make("span"));
    this.sheet.replaceChildren(this.before, this.after, this.handle);
    this.sheet.append(make("span", { class: "tag left", "aria-hidden": "true" }, "Photo"), make("span", { class: "tag right", "aria-hidden": "true" }, "Creative"));
  }

  overlay(kind) {
    if (!this[kind]) {
      const alt = kind === "mask" ? "The product as it was cut out" : "What became of each pixel";
      this[kind] = make("img", { class: `layer ${kind}`, src: `${kind}/${this.item.i}.png`, alt, width: this.item.w, height: this.item.h });
      this.after.after(this[kind]);
    }
    return this[kind];
  }

  redraw() {
    const { view } = this;
    this.element.dataset.view = view;
    if (view === "mask" || view === "changed") this.overlay(view);
    this.before.hidden = !(view === "slider" || view === "before");
    this.after.hidden = view === "before";
    for (const kind of ["mask", "changed"]) if (this[kind]) this[kind].hidden = view !== kind;
    this.range.hidden = view !== "slider";
    this.splitAt(this.split);
    this.drawZones();
    this.drawTools();
    this.drawLegend();
    this.resize();
  }

  drawTools() {
    const views = VIEWS.map(([name, words], at) => make("button", { type: "button", class: "view", "data-view": name, "aria-pressed": String(this.view === name), title: `Key ${at + 1}`, onclick: () => this.look(name) }, words));
    const zones = make("button", { type: "button", class: "toggle", "data-view": "zones", "aria-pressed": String(this.zones), title: "Key S", onclick: () => this.toggleZones() }, "Platform overlay");
    const zoom = make("div", { class: "zoom", role: "group", "aria-label": "Zoom" },
      make("button", { type: "button", "data-view": "out", "aria-label": "Zoom out", onclick: () => this.step(-1) }, "−"),
      make("button", { type: "button", "data-view": "fit", "aria-pressed": String(this.zoom === 0), onclick: () => this.zoomTo(0) }, this.zoom ? `${this.zoom * 100} %` : "Fit"),
      make("button", { type: "button", "data-view": "in", "aria-label": "Zoom in", onclick: () => this.step(1) }, "+"));
    const focused = this.toolbar.contains(document.activeElement) ? document.activeElement.dataset.view : "";
    this.toolbar.replaceChildren(make("div", { class: "views", role: "group", "aria-label": "View" }, ...views), zones, zoom);
    if (focused) this.toolbar.querySelector(`[data-view="${focused}"]`)?.focus();
  }

  drawLegend() {
    const entry = (kind, words) => make("li", {}, make("i", { class: `swatch ${kind}` }), words);
    const entries = this.view === "changed"
      ? [entry("core", "your photo's own pixels"), ...(this.item.k === "outpaint" ? [] : [entry("edge", "edge, blended")]), entry("painted", "painted")]
      : this.view === "mask" ? [entry("clear", "taken from your photo"), entry("dark", this.item.k === "outpaint" ? "painted" : "not the product")] : [];
    this.legend.replaceChildren(...entries);
  }

  drawZones() {
    this.sheet.querySelector(".zones")?.remove();
    const placement = Review.data.placements[this.item.s];
    if (this.zones && placement) this.sheet.append(zonesOf(this.item.s, placement));
  }

  look(view) { this.view = view; this.redraw(); }
  toggleZones() { this.zones = !this.zones; this.redraw(); }

  splitAt(percent) {
    this.split = Math.min(Math.max(percent, 0), 100);
    this.after.style.clipPath = this.view === "slider" ? `inset(0 0 0 ${this.split}%)` : "none";
    this.handle.style.left = `${this.split}%`;
    this.range.value = String(this.split);
  }

  step(by) {
    const levels = [0, ...ZOOMS];
    this.zoomTo(levels[Math.min(Math.max(levels.indexOf(this.zoom) + by, 0), levels.length - 1)]);
  }

  // Keeps the middle of the window (or the pointer) over the same pixel.
  zoomTo(zoom, at = null) {
    const box = this.viewport.getBoundingClientRect();
    const sheet = this.sheet.getBoundingClientRect();
    const x = at ? at.x : box.left + box.width / 2, y = at ? at.y : box.top + box.height / 2;
    const u = (x - sheet.left) / sheet.width, v = (y - sheet.top) / sheet.height;
    this.zoom = zoom;
    this.resize();
    const now = this.sheet.getBoundingClientRect();
    this.viewport.scrollLeft += now.left + u * now.width - x;
    this.viewport.scrollTop += now.top + v * now.height - y;
    this.drawTools();
  }

  resize() {
    const { w, h } = this.item;
    const fit = Math.min((this.viewport.clientWidth - 2) / w, (this.viewport.clientHeight - 2) / h);
    const scale = this.zoom || Math.max(Math.min(fit, 1), 0.02);
    this.sheet.style.width = `${w * scale}px`;
    this.sheet.style.height = `${h * scale}px`;
    this.element.classList.toggle("pixels", scale >= 2);
    this.element.classList.toggle("zoomed", this.zoom > 0);
  }

  wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const levels = [0, ...ZOOMS];
    const now = levels.indexOf(this.zoom) + (event.deltaY < 0 ? 1 : -1);
    this.zoomTo(levels[Math.min(Math.max(now, 0), levels.length - 1)], { x: event.clientX, y: event.clientY });
  }

  // On the handle, or anywhere while the picture fits: moves the slider. Zoomed in: moves the picture.
  drag(event) {
    const slides = this.view === "slider" && (event.target.closest(".handle") || this.zoom === 0);
    if (event.button !== 0 || (!slides && event.pointerType !== "mouse")) return;
    const start = { x: event.clientX, y: event.clientY, left: this.viewport.scrollLeft, top: this.viewport.scrollTop };
    const move = (to) => {
      if (slides) {
        const sheet = this.sheet.getBoundingClientRect();
        this.splitAt(((to.clientX - sheet.left) / sheet.width) * 100);
      } else {
        this.viewport.scrollLeft = start.left - (to.clientX - start.x);
        this.viewport.scrollTop = start.top - (to.clientY - start.y);
      }
    };
    if (slides) move(event);
    this.viewport.setPointerCapture(event.pointerId);
    this.viewport.addEventListener("pointermove", move);
    const end = () => this.viewport.removeEventListener("pointermove", move);
    this.viewport.addEventListener("pointerup", end, { once: true });
    this.viewport.addEventListener("pointercancel", end, { once: true });
  }
}
