"use strict";
// What a platform lays over a placement, drawn over the creative: its margins, and its furniture where it is known.

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

function zonesOf(name, placement) {
  const { w, h, safe: [top, left, bottom, right] } = placement;
  const box = { x: left * w, y: top * h, width: (1 - left - right) * w, height: (1 - top - bottom) * h };
  const outer = `M0 0H${w}V${h}H0Z M${box.x} ${box.y}v${box.height}h${box.width}v${-box.height}Z`;
  const picture = draw("svg", { viewBox: `0 0 ${w} ${h}`, class: "zones", "aria-hidden": "true" });
  picture.append(draw("path", { d: outer, "fill-rule": "evenodd", class: "unsafe" }), draw("rect", { ...box, class: "safe" }));
  const furniture = name.startsWith("meta_stories") ? storyFurniture : name.startsWith("pinterest") ? pinFurniture : name.startsWith("pmax") ? adFurniture : name.startsWith("meta_feed") ? feedFurniture : null;
  if (furniture) picture.append(...furniture(w, h));
  return picture;
}

function words(x, y, size, text, more = {}) { return draw("text", { x, y, "font-size": size, class: "furniture-text", ...more }, text); }

// Stories and reels: progress, account and menu above; caption and call to action below.
function storyFurniture(w, h) {
  const bar = (at) => draw("rect", { x: 40 + at * ((w - 80) / 3 + 4), y: 36, width: (w - 80) / 3 - 8, height: 6, rx: 3, class: at ? "furniture faint" : "furniture" });
  return [
    bar(0), bar(1), bar(2),
    draw("circle", { cx: 92, cy: 120, r: 40, class: "furniture" }),
    words(152, 112, 34, "yourbrand"), words(152, 152, 28, "Sponsored"),
    draw("path", { d: `M${w - 92} 92l48 48m0 -48l-48 48`, class: "stroke" }),
    draw("rect", { x: 60, y: h - 200, width: w - 120, height: 110, rx: 55, class: "furniture" }),
    words(w / 2, h - 131, 40, "Shop now", { "text-anchor": "middle", class: "furniture-dark" }),
    draw("path", { d: `M${w / 2 - 28} ${h - 232}l28 -26l28 26`, class: "stroke" }),
  ];
}

// Pins: round corners, save button, link and visual search.
function pinFurniture(w, h) {
  const r = Math.round(w * 0.05);
  const corners = `M0 0H${w}V${h}H0Z M0 ${r}V${h - r}A${r} ${r} 0 0 0 ${r} ${h}H${w - r}A${r} ${r} 0 0 0 ${w} ${h - r}V${r}A${r} ${r} 0 0 0 ${w - r} 0H${r}A${r} ${r} 0 0 0 0 ${r}Z`;
  return [
    draw("path", { d: corners, "fill-rule": "evenodd", class: "corner" }),
    draw("rect", { x: w - 206, y: 30, width: 176, height: 92, rx: 46, class: "furniture red" }),
    words(w - 118, 89, 36, "Save", { "text-anchor": "middle" }),
    draw("circle", { cx: w - 78, cy: h - 78, r: 44, class: "furniture" }),
    draw("path", { d: `M${w - 98} ${h - 88}v-12h12 M${w - 70} ${h - 100}h12v12 M${w - 58} ${h - 68}v12h-12 M${w - 86} ${h - 56}h-12v-12`, class: "stroke dark" }),
    draw("rect", { x: 30, y: h - 118, width: 300, height: 84, rx: 42, class: "furniture" }),
    words(180, h - 65, 32, "yourshop.com", { "text-anchor": "middle", class: "furniture-dark" }),
  ];
}

// Performance Max: the outer tenth may be cropped; headline and button lie below or over the foot.
function adFurniture(w, h) {
  const size = Math.round(Math.min(w, h) * 0.036);
  return [
    draw("rect", { x: 14, y: 14, width: size * 2.4, height: size * 1.5, rx: 6, class: "furniture" }),
    words(14 + size * 1.2, 14 + size * 1.08, size, "Ad", { "text-anchor": "middle", class: "furniture-dark" }),
    words(w / 2, size * 1.6, size, "Google may crop up to here", { "text-anchor": "middle" }),
    draw("path", { d: `M${w - 60} 24h36v36h-36z M${w - 52} 32l20 20m0 -20l-20 20`, class: "stroke thin" }),
  ];
}

function feedFurniture(w, h) {
  return [
    draw("circle", { cx: w - 58, cy: h - 58, r: 30, class: "furniture" }),
    draw("path", { d: `M${w - 66} ${h - 64}v12h8l10 8v-28l-10 8z`, class: "dark-fill" }),
  ];
}
