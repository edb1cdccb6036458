"use strict";
// The original first, for its seconds; then the output, for its own; only then may it be judged. The server checks too.
(() => {
  const session = document.getElementById("session");
  const original = document.getElementById("original");
  const output = document.getElementById("output");
  const caption = document.getElementById("caption");
  const bar = document.getElementById("bar");
  const flip = document.getElementById("flip");
  const questions = document.getElementById("questions");
  const form = document.getElementById("form");
  const pictures = [original, ...(output.tagName === "IMG" ? [output] : output.querySelectorAll("img"))];

  const show = (first) => {
    original.hidden = !first;
    output.hidden = first;
    caption.textContent = first ? "The advertiser's original" : (output.tagName === "IMG" ? "The picture to judge" : "The pictures to judge");
  };
  const wait = (seconds) => new Promise((done) => {
    const began = performance.now();
    const tick = () => {
      const share = seconds > 0 ? Math.min((performance.now() - began) / (seconds * 1000), 1) : 1;
      bar.style.width = `${share * 100}%`;
      if (share < 1) requestAnimationFrame(tick); else done();
    };
    tick();
  });
  const loaded = (image) => image.complete && image.naturalWidth
    ? Promise.resolve()
    : new Promise((done, failed) => { image.onload = done; image.onerror = failed; if (image.complete && !image.naturalWidth) failed(); });

  const run = async () => {
    try {
      await Promise.all(pictures.map(loaded));
    } catch {
      caption.textContent = "An image could not be shown: please pass this one.";
      return;
    }
    show(true);
    await wait(Number(session.dataset.original));
    show(false);
    await wait(Number(session.dataset.output));
    questions.disabled = false;
    flip.disabled = false;
    caption.textContent += ": your judgement, please";
    session.dataset.ready = "yes";
  };

  flip.addEventListener("click", () => show(original.hidden));
  document.addEventListener("keydown", (event) => {
    if (questions.disabled || event.ctrlKey || event.metaKey || event.altKey) return;
    const choice = document.querySelector(`input[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (choice) { choice.checked = true; choice.focus(); event.preventDefault(); }
    if (event.key === " " && event.target.tagName !== "BUTTON") { flip.click(); event.preventDefault(); }
    if (event.key === "Enter" && event.target.tagName !== "BUTTON") { form.requestSubmit(); event.preventDefault(); }
  });
  run();
})();
