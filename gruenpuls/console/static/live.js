// Keeps the page current: the replay clock every second, everything else when something arrived.
"use strict";

(() => {
  const page = document.documentElement.dataset;
  const pause = Number(page.refresh) * 1000;
  let announced = -Infinity;
  let waiting = null;

  function show(clock) {
    for (const element of document.querySelectorAll("[data-clock]")) element.textContent = clock[element.dataset.clock];
    for (const bar of document.querySelectorAll("[data-clock-share]")) bar.value = clock.share;
  }

  function tell(name, detail) {
    document.body.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // However fast things change, a page is redrawn at most once in `pause`.
  function announce() {
    if (waiting !== null) return;
    waiting = setTimeout(() => {
      waiting = null;
      announced = performance.now();
      tell("changed");
    }, Math.max(announced + pause - performance.now(), 0));
  }

  const events = new EventSource(page.events);
  const lost = document.getElementById("lost");
  events.addEventListener("clock", (event) => show(JSON.parse(event.data)));
  events.addEventListener("statuses", (event) => {
    tell("statuses", JSON.parse(event.data));
    announce();
  });
  events.addEventListener("open", () => (lost.hidden = true));
  events.addEventListener("error", () => (lost.hidden = false));
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
})();
