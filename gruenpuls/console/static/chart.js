// The charts of a site. The table below each says the same by the day.
"use strict";

(() => {
  const page = document.documentElement;
  const zone = page.dataset.zone;
  const form = (options) => new Intl.DateTimeFormat(page.lang === "de" ? "de-DE" : "en-GB", { timeZone: zone, ...options });
  const clock = form({ hour: "2-digit", minute: "2-digit" });
  const day = form({ day: "numeric", month: "short" });
  const year = form({ month: "short", year: "numeric" });
  const full = form({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const date = form({ day: "numeric", month: "short", year: "numeric" });
  const colour = (name) => getComputedStyle(page).getPropertyValue(name).trim();

  function number(value, digits) {
    if (value === null || value === undefined) return "–";
    return value.toLocaleString(page.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  function moments(_, splits, __, ___, step) {
    let before = "";
    return splits.map((second) => {
      const at = new Date(second * 1000);
      if (step >= 28 * 86400) return year.format(at);
      const today = day.format(at);
      const text = step >= 86400 || (today !== before && clock.format(at) === "00:00") ? today : clock.format(at);
      before = today;
      return text;
    });
  }

  function places(step) {
    return [0, 1].find((digits) => Number.isInteger(step * 10 ** digits)) ?? 2;
  }

  // Many depths run through one range of hues, the deepest last; few curves have colours of their own.
  function stroke(chart, i) {
    const depths = chart.curves.filter((curve) => curve.depth !== null).length;
    if (chart.bars) return colour("--rain");
    if (chart.curves[i].depth === null && depths > 0) return colour("--ink");
    if (depths <= 3) return colour(`--line-${(i % 6) + 1}`);
    const light = matchMedia("(prefers-color-scheme: dark)").matches ? 70 : 38;
    return `hsl(${Math.round(28 + (i / chart.curves.length) * 270)} 62% ${light}%)`;
  }

  // Status bands lie behind the lines; each limit is a line with its name.
  function bands(chart) {
    return (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      for (const band of chart.bands) {
        const top = u.valToPos(band.to ?? u.scales.y.max, "y", true);
        const bottom = u.valToPos(band.from ?? u.scales.y.min, "y", true);
        ctx.fillStyle = colour(`--${band.status.replace("_", "-")}-soft`);
        ctx.fillRect(bbox.left, Math.min(top, bottom), bbox.width, Math.abs(bottom - top));
      }
      ctx.restore();
    };
  }

  function bandNames(chart) {
    return (u) => {
      const { ctx, bbox } = u;
      const ratio = window.devicePixelRatio || 1;
      ctx.save();
      ctx.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
      ctx.textAlign = "right";
      ctx.textBaseline = "top";
      for (const band of chart.bands) {
        const upper = Math.min(band.to ?? Infinity, u.scales.y.max);
        const lower = Math.max(band.from ?? -Infinity, u.scales.y.min);
        const height = u.valToPos(lower, "y", true) - u.valToPos(upper, "y", true);
        if (height < 18 * ratio) continue;
        ctx.fillStyle = colour(`--${band.status.replace("_", "-")}`);
        ctx.fillText(band.label, bbox.left + bbox.width - 6 * ratio, u.valToPos(upper, "y", true) + 3 * ratio);
      }
      ctx.restore();
    };
  }

  function plot(element, chart, span) {
    const style = getComputedStyle(document.body);
    const axis = { stroke: colour("--quiet"), font: `12px ${style.fontFamily}`, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const data = uPlot.join(chart.curves.map((curve) => [curve.at, curve.value]), chart.curves.map(() => [0, 2]));
    const bars = chart.bars ? uPlot.paths.bars({ size: [0.8, 40], align: 1 }) : undefined;
    const options = {
      width: element.clientWidth,
      height: Math.max(240, Math.min(320, element.clientWidth * 0.5)),
      tzDate: (second) => uPlot.tzDate(new Date(second * 1000), zone),
      padding: [8, 8, 0, 0],
      cursor: { y: false, sync: { key: "site" }, drag: { x: true, y: false } },
      scales: {
        // Unless somebody zoomed in, the whole span is shown, also where nothing was measured.
        x: { range: (u, low, high) => (low === u.data[0][0] && high === u.data[0].at(-1) ? span : [low, high]) },
        y: { range: (_, low, high) => range(low, high, chart) },
      },
      axes: [
        { ...axis, values: moments, space: 70, size: 30 },
        { ...axis, values: (_, splits, __, ___, step) => splits.map((v) => number(v, places(step))), size: 56 },
      ],
      series: [
        { label: page.dataset.when, value: (_, second) => (second === null ? "–" : (chart.bars && chart.daily ? date : full).format(new Date(second * 1000))) },
        ...chart.curves.map((curve, i) => ({
          label: curve.label,
          stroke: stroke(chart, i),
          fill: chart.bars ? colour("--rain") : undefined,
          width: chart.bars ? 0 : 2,
          dash: curve.derived && chart.mixed ? [6, 4] : undefined,
          paths: bars,
          points: { show: false },
          value: (_, value) => (value === null || value === undefined ? "–" : `${number(value, chart.digits)} ${chart.unit}`),
        })),
      ],
      hooks: { drawClear: [bands(chart)], draw: [bandNames(chart)] },
    };
    return new uPlot(options, data, element);
  }

  function range(low, high, chart) {
    if (low === null) return [0, 1];
    if (chart.bars) return [0, Math.max(high * 1.1, 1)];
    const air = Math.max((high - low) * 0.1, 10 ** -chart.digits);
    return [low >= chart.floor ? Math.max(low - air, chart.floor) : low - air, high + air];
  }

  const drawn = new Map();

  function draw(element) {
    const found = drawn.get(element);
    if (!found || !element.clientWidth) return;
    found.plot?.destroy();
    found.plot = plot(element, found.chart, found.span);
    element.dataset.drawn = found.chart.curves.reduce((sum, curve) => sum + curve.at.length, 0);
  }

  const width = new ResizeObserver((entries) => {
    for (const { target } of entries) if (drawn.get(target)?.plot?.width !== target.clientWidth) draw(target);
  });

  let shown = "";

  async function refresh() {
    const holder = document.getElementById("charts");
    const answer = await fetch(holder.dataset.curves); // the browser asks with the ETag it has
    if (!answer.ok || answer.headers.get("ETag") === shown) return;
    shown = answer.headers.get("ETag");
    const { charts, span } = await answer.json();
    for (const chart of charts) {
      const element = holder.querySelector(`[data-chart="${chart.name}"]`);
      if (!element) continue;
      const before = drawn.get(element);
      if (before?.plot && before.chart.curves.length === chart.curves.length) {
        const zoomed = before.plot.scales.x.min > before.span[0] || before.plot.scales.x.max < before.span[1];
        Object.assign(before, { chart, span });
        if (!zoomed) draw(element);
        continue;
      }
      drawn.set(element, { chart, span, plot: before?.plot });
      draw(element);
      width.observe(element);
    }
  }

  refresh();
  document.body.addEventListener("changed", refresh);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((_, element) => draw(element)));
})();
