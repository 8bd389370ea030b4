"use strict";
// Curves of regional volumes over age, and the table of numbers at one age. No library: plain SVG.

const SVG = "http://www.w3.org/2000/svg", WIDTH = 300, HEIGHT = 150, EDGE = { left: 44, right: 8, top: 20, bottom: 22 };

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function number(value, digits = 3) {
  if (value === null || value === undefined) return "";
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(digits)));
}

function ticks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + 1e-9; v += step) found.push(Number(v.toPrecision(12)));
  return found;
}

function at(points, age) {  // [volume, low, high] at an age, null outside of the points
  if (!points || !points.length || age < points[0][0] - 1e-6 || age > points[points.length - 1][0] + 1e-6) return null;
  let i = 0;
  while (i < points.length - 2 && points[i + 1][0] < age) i++;
  const a = points[i], b = points[Math.min(i + 1, points.length - 1)];
  const w = b[0] > a[0] ? (age - a[0]) / (b[0] - a[0]) : 0;
  return [1, 2, 3].map((k) => (a[k] === null || b[k] === null ? null : a[k] + w * (b[k] - a[k])));
}

class Curve {  // one region of one person
  constructor(parent, name, data, index, lastSeen, range) {
    const points = data.series[index] || [];
    const values = [...data.real.map((p) => p[1]), ...points.flatMap((p) => p.slice(1))].filter((v) => v !== null);
    let low = Math.min(...values), high = Math.max(...values);
    const spare = (high - low || Math.abs(high) * 0.1 || 1) * 0.12;
    [low, high] = [low - spare, high + spare];
    this.x = (age) => EDGE.left + (age - range[0]) / (range[1] - range[0] || 1) * (WIDTH - EDGE.left - EDGE.right);
    const y = (ml) => HEIGHT - EDGE.bottom - (ml - low) / (high - low) * (HEIGHT - EDGE.top - EDGE.bottom);
    const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name} over age` }, parent);
    element("text", { x: 4, y: 12, class: "title" }, svg, `${name} [ml]`);
    for (const v of ticks(low, high, 3)) {
      element("line", { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(v), y2: y(v), class: "grid" }, svg);
      element("text", { x: EDGE.left - 5, y: y(v) + 3.5, class: "tick", "text-anchor": "end" }, svg, number(v));
    }
    for (const v of ticks(range[0], range[1], 4))
      element("text", { x: this.x(v), y: HEIGHT - 7, class: "tick", "text-anchor": "middle" }, svg, number(v, 4));
    const banded = points.filter((p) => p[2] !== null && p[3] !== null);
    if (banded.length > 1) {
      const edge = [...banded.map((p) => [p[0], p[3]]), ...banded.reverse().map((p) => [p[0], p[2]])];
      element("polygon", { points: edge.map((p) => `${this.x(p[0])},${y(p[1])}`).join(" "), class: "band" }, svg);
    }
    if (points.length)
      element("polyline", { points: points.map((p) => `${this.x(p[0])},${y(p[1])}`).join(" "), class: "forecast" }, svg);
    this.line = element("line", { y1: EDGE.top - 4, y2: HEIGHT - EDGE.bottom, class: "now" }, svg);
    for (const [age, ml] of data.real)
      element("circle", { cx: this.x(age), cy: y(ml), r: 3.6, class: age <= lastSeen + 1e-6 ? "seen" : "later" }, svg);
    this.dot = element("circle", { r: 4, class: "dot" }, svg);
    Object.assign(this, { points, y });
  }

  mark(age) {
    this.line.setAttribute("x1", this.x(age)); this.line.setAttribute("x2", this.x(age));
    const value = at(this.points, age);
    this.dot.setAttribute("visibility", value ? "visible" : "hidden");
    if (value) { this.dot.setAttribute("cx", this.x(age)); this.dot.setAttribute("cy", this.y(value[0])); }
  }
}

function numbersAt(person, index, age, lastSeen) {  // rows of the table: region, forecast, interval, measured, change
  return Object.entries(person.curves).map(([name, data]) => {
    const forecast = age > lastSeen + 1e-6 ? at(data.series[index], age) : null;
    const measured = data.real.find((p) => Math.abs(p[0] - age) < 1e-6);
    const last = [...data.real].reverse().find((p) => p[0] <= lastSeen + 1e-6);
    const value = forecast ? forecast[0] : measured ? measured[1] : null;
    const interval = forecast && forecast[1] !== null && forecast[2] !== null ? `${number(forecast[1])} to ${number(forecast[2])}` : "";
    const change = value !== null && last ? 100 * (value / last[1] - 1) : null;
    return [name, number(forecast && forecast[0]), interval, number(measured && measured[1]),
      change === null ? "" : `${change > 0 ? "+" : ""}${change.toFixed(1)} %`];
  });
}
