// The map of sites: one canvas, a shape and a colour per status. The table beside it says the same in words.
"use strict";

(() => {
  const STATUS = ["no_sensor", "unjudged", "fine", "no_data", "water_soon", "water_now"]; // worst last, so that it lies on top
  const COLOUR = { no_sensor: "--no-data", no_data: "--no-data", unjudged: "--unjudged", fine: "--fine", water_soon: "--water-soon", water_now: "--water-now" };
  const HOLLOW = new Set(["no_data"]);
  const SHAPE = {
    no_sensor: (c, x, y, r) => c.arc(x, y, r * 0.45, 0, 2 * Math.PI),
    no_data: (c, x, y, r) => c.arc(x, y, r * 0.8, 0, 2 * Math.PI),
    unjudged: (c, x, y, r) => c.rect(x - r * 0.85, y - r * 0.85, 1.7 * r, 1.7 * r),
    fine: (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
    water_soon: (c, x, y, r) => polygon(c, [x, y - 1.3 * r, x + 1.3 * r, y, x, y + 1.3 * r, x - 1.3 * r, y]),
    water_now: (c, x, y, r) => polygon(c, [x, y + 1.3 * r, x - 1.35 * r, y - r, x + 1.35 * r, y - r]),
  };
  const REACH = 22; // half a touch target [px]
  const LABELS = 60; // names are drawn up to so many sites in view

  function polygon(context, points) {
    context.moveTo(points[0], points[1]);
    for (let i = 2; i < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
    context.closePath();
  }

  const Points = L.Renderer.extend({
    sites: [],

    _initContainer() {
      this._container = document.createElement("canvas");
      this._context = this._container.getContext("2d");
    },

    _destroyContainer() {
      this._container.remove();
    },

    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const ratio = window.devicePixelRatio || 1;
      const size = this._bounds.getSize();
      L.DomUtil.setPosition(this._container, this._bounds.min);
      this._container.width = ratio * size.x;
      this._container.height = ratio * size.y;
      this._container.style.width = `${size.x}px`;
      this._container.style.height = `${size.y}px`;
      this._context.setTransform(ratio, 0, 0, ratio, -ratio * this._bounds.min.x, -ratio * this._bounds.min.y);
      this.draw();
    },

    show(sites) {
      this.sites = sites;
      if (this._map) this._update();
    },

    draw() {
      const style = getComputedStyle(document.documentElement);
      const colour = (name) => style.getPropertyValue(name).trim();
      const context = this._context;
      const bounds = this._bounds;
      this._grid(colour("--line"));
      const radius = this.sites.length <= LABELS ? 8 : Math.min(Math.max(this._map.getZoom() - 6, 4), 9);
      const seen = [];
      for (const site of this.sites) {
        const point = this._map.latLngToLayerPoint([site.latitude, site.longitude]);
        if (bounds.contains(point)) seen.push({ ...site, x: point.x, y: point.y });
      }
      context.lineWidth = 2;
      for (const status of STATUS) {
        context.beginPath();
        for (const site of seen) {
          if (site.status !== status) continue;
          context.moveTo(site.x + radius, site.y);
          SHAPE[status](context, site.x, site.y, radius);
        }
        context.fillStyle = colour(HOLLOW.has(status) ? "--surface" : COLOUR[status]);
        context.strokeStyle = colour(HOLLOW.has(status) ? COLOUR[status] : "--surface");
        context.fill();
        context.stroke();
      }
      if (seen.length <= LABELS) this._names(seen, radius, colour("--ink"), colour("--sunken"));
    },

    // Without a base map the eye needs something to hold on to when the map moves.
    _grid(line) {
      if (this.plain !== true) return;
      const [context, map, bounds] = [this._context, this._map, this._bounds];
      const span = map.getBounds();
      const width = span.getEast() - span.getWest();
      const step = 10 ** Math.floor(Math.log10(width)) / (width / 10 ** Math.floor(Math.log10(width)) < 3 ? 4 : 1);
      context.strokeStyle = line;
      context.lineWidth = 1;
      context.beginPath();
      const outer = L.latLngBounds(map.layerPointToLatLng(bounds.min), map.layerPointToLatLng(bounds.max));
      for (let x = Math.floor(outer.getWest() / step) * step; x < outer.getEast(); x += step) {
        const at = Math.round(map.latLngToLayerPoint([outer.getNorth(), x]).x) + 0.5;
        context.moveTo(at, bounds.min.y);
        context.lineTo(at, bounds.max.y);
      }
      for (let y = Math.floor(outer.getSouth() / step) * step; y < outer.getNorth(); y += step) {
        const at = Math.round(map.latLngToLayerPoint([y, outer.getWest()]).y) + 0.5;
        context.moveTo(bounds.min.x, at);
        context.lineTo(bounds.max.x, at);
      }
      context.stroke();
    },

    _names(seen, radius, ink, halo) {
      const context = this._context;
      context.font = `500 13px ${getComputedStyle(document.body).fontFamily}`;
      context.textBaseline = "middle";
      context.lineWidth = 4;
      context.lineJoin = "round";
      context.strokeStyle = halo;
      context.fillStyle = ink;
      const taken = [];
      for (const site of [...seen].sort((a, b) => STATUS.indexOf(b.status) - STATUS.indexOf(a.status))) {
        const wide = context.measureText(site.name).width;
        const room = this._map.containerPointToLayerPoint(this._map.getSize()).x - site.x;
        const x = wide + radius + 12 < room ? site.x + radius + 7 : site.x - radius - 7 - wide;
        const box = { left: x - 3, right: x + wide + 3, top: site.y - 9, bottom: site.y + 9 };
        if (taken.some((o) => box.left < o.right && box.right > o.left && box.top < o.bottom && box.bottom > o.top)) continue;
        taken.push(box);
        context.strokeText(site.name, x, site.y);
        context.fillText(site.name, x, site.y);
      }
    },

    nearest(point) {
      let best = null;
      let distance = REACH ** 2;
      for (const site of this.sites) {
        const at = this._map.latLngToLayerPoint([site.latitude, site.longitude]);
        const away = (at.x - point.x) ** 2 + (at.y - point.y) ** 2;
        if (away <= distance) [best, distance] = [site, away];
      }
      return best;
    },
  });

  function baseMap(map, settings) {
    let layer;
    const options = { attribution: settings.attribution, maxZoom: 19 };
    if (settings.kind === "wms") {
      layer = L.tileLayer.wms(settings.url, { ...options, layers: settings.layers, format: "image/png", version: "1.3.0" });
    } else {
      layer = L.tileLayer(settings.url, options);
    }
    let failed = 0; // a map service that cannot be reached is left alone after a few tries
    layer.on("tileerror", () => ++failed >= 4 && map.removeLayer(layer));
    return layer.addTo(map);
  }

  function popup(site, words) {
    const box = document.createElement("div");
    const link = document.createElement("a");
    link.href = site.link;
    link.textContent = site.name;
    const status = document.createElement("div");
    status.textContent = words[site.status];
    box.append(link, status);
    return box;
  }

  for (const element of document.querySelectorAll(".map")) {
    const words = JSON.parse(element.dataset.words);
    const settings = JSON.parse(element.dataset.baseMaps);
    const map = L.map(element, { attributionControl: settings.length > 0, zoomControl: false, maxZoom: 19, zoomSnap: 0.25 });
    L.control.zoom({ position: "bottomright", zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    if (settings.length) map.attributionControl.setPrefix(false);
    for (const one of settings) baseMap(map, one);
    const points = new Points({ padding: 0.3 });
    points.plain = settings.length === 0;

    async function refresh() {
      const answer = await fetch(element.dataset.sites);
      if (!answer.ok) return;
      const columns = await answer.json();
      const first = points.sites.length === 0;
      points.show(
        columns.key.map((key, i) => ({
          key,
          name: columns.name[i],
          link: columns.link[i],
          status: columns.statuses[columns.status[i]],
          latitude: columns.latitude[i],
          longitude: columns.longitude[i],
        })),
      );
      element.dataset.shown = points.sites.length;
      if (!first || !points.sites.length) return;
      map.fitBounds(L.latLngBounds(points.sites.map((site) => [site.latitude, site.longitude])), { paddingTopLeft: [40, 40], paddingBottomRight: [84, 64], maxZoom: 15, animate: false });
      if (!map.hasLayer(points)) map.addLayer(points);
    }

    map.on("click", (event) => {
      const site = points.nearest(event.layerPoint);
      if (site) L.popup().setLatLng([site.latitude, site.longitude]).setContent(popup(site, words)).openOn(map);
    });
    map.on("mousemove", (event) => {
      element.style.cursor = points.nearest(event.layerPoint) ? "pointer" : "";
    });
    map.setView([51.5, 7.2], 9);
    refresh();
    document.body.addEventListener("statuses", ({ detail }) => {
      if (detail === null) return refresh();
      for (const site of points.sites) site.status = detail[site.key] ?? site.status;
      points._map && points._update();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => points._map && points._update());
  }
})();
