"use strict";
// The page: which person, which age, what lies over the picture; mouse, touch and keys.

const $ = (id) => document.getElementById(id);
const content = JSON.parse($("content").textContent);
const state = { person: content.people[0], series: 0, age: 0, flipped: false, overlay: "none", bytes: null };
const banded = $("numbers").dataset.banded === "yes";
const views = ["slices", "axial", "coronal", "sagittal", "surface"];
let brain = null, curves = [], queued = false, view = 0, loading = 0;

const series = () => state.person.series[state.series] || null;
const lastSeen = () => (series() ? series().start.age : state.person.visits[state.person.visits.length - 1].age);
function range() {
  const ages = [...state.person.visits.map((v) => v.age), ...(series() ? series().frames.map((f) => f.age) : [])];
  return [Math.min(...ages), Math.max(...ages)];
}

function fill(select, items, chosen) {
  select.replaceChildren(...items.map(([value, words]) => {
    const option = document.createElement("option");
    option.value = value; option.textContent = words; option.selected = value === chosen;
    return option;
  }));
}

async function choosePerson(id) {
  const page = content.pages.find((p) => p.people.some((q) => q[0] === id));
  const person = content.people.find((p) => p.id === id);
  if (!person) { if (page) location.href = `${page.file}#${encodeURIComponent(id)}`; return; }
  const mine = ++loading;
  state.person = person; state.series = 0; state.flipped = false;
  $("person").value = id; $("facts").textContent = person.facts;
  fill($("series"), person.series.map((s, i) => [String(i), s.name]), "0");
  $("series").disabled = person.series.length < 2;
  $("strip").src = person.strip; $("strip").alt = person.strip_alt; $("strip-words").textContent = person.strip_alt;
  const bytes = brain ? await volumesOf(person) : new Map();
  if (mine !== loading) return;  // another person was chosen meanwhile
  state.bytes = bytes;
  chooseSeries(0);
}

function chooseSeries(index) {
  state.series = index; state.flipped = false;
  const [low, high] = range(), slider = $("age");
  slider.min = low; slider.max = high; slider.step = Math.max((high - low) / 500, 0.001);
  $("visits").replaceChildren(...state.person.visits.map((visit) => {
    const button = document.createElement("button");
    const seen = visit.age <= lastSeen() + 1e-6;
    button.type = "button"; button.className = seen ? "seen" : "later";
    button.textContent = `${visit.age.toFixed(1)} ${seen ? "seen" : "later"}`;
    button.title = visit.scan;
    button.addEventListener("click", () => setAge(visit.age));
    return button;
  }));
  $("curves").replaceChildren();
  curves = Object.entries(state.person.curves).slice(0, 4).map(([name, data]) =>
    new Curve($("curves"), name, data, index, lastSeen(), range()));
  setAge(series() ? high : low);
}

function setAge(age, snap = false) {
  const [low, high] = range();
  age = Math.min(high, Math.max(low, age));
  const visit = nearest(state.person.visits, age);
  if (snap && Math.abs(visit.age - age) <= SNAP * (high - low)) age = visit.age;
  state.age = age; $("age").value = age;
  if (!canFlip()) state.flipped = false;
  refresh();
}

const canFlip = () => series() !== null && state.age > lastSeen() + 1e-6 &&
  Math.abs(nearest(state.person.visits, state.age).age - state.age) < 1e-6;

function refresh() {  // once per frame of the screen, however fast the slider moves
  if (!queued) { queued = true; requestAnimationFrame(draw); }
}

function words(picture) {
  if (picture.kind === "scan") {
    const later = series() && picture.visit.age > lastSeen() + 1e-6;
    return `Scan at ${picture.visit.age.toFixed(1)} years${later ? ", what came true" : ""}`;
  }
  const between = picture.weight > 1e-6 && picture.weight < 1 - 1e-6 ? `, blended between the decoded ages ${
    picture.early.age.toFixed(1)} and ${picture.late.age.toFixed(1)}` : "";
  return `Forecast for ${state.age.toFixed(1)} years${between}`;
}

function draw() {
  queued = false;
  const picture = choose(state.person, series(), state.age, state.flipped);
  if (brain && state.bytes) {
    const last = [...state.person.visits].reverse().find((v) => v.age <= lastSeen() + 1e-6);
    brain.show(state.bytes, picture, { scan: last.volume, labels: last.labels, forecast: series() && series().start.volume }, state.overlay);
  }
  $("what").textContent = words(picture);
  $("years").textContent = `${state.age.toFixed(1)} years`;
  $("flip").disabled = !canFlip(); $("flip").setAttribute("aria-pressed", String(state.flipped));
  for (const name of ["change", "segmentation"]) $(name).setAttribute("aria-pressed", String(state.overlay === name));
  $("legend-change").hidden = state.overlay !== "change"; $("legend-parts").hidden = state.overlay !== "segmentation";
  $("parts-of").textContent = picture.kind === "scan" ? "Segmentation of this scan." : "Segmentation of the last scan seen.";
  for (const curve of curves) curve.mark(state.age);
  $("numbers").replaceChildren(...numbersAt(state.person, state.series, state.age, lastSeen()).map((row) => {
    const tr = document.createElement("tr");
    tr.append(...row.filter((_, i) => i !== 2 || banded).map((text) => { const td = document.createElement("td"); td.textContent = text; return td; }));
    return tr;
  }));
  document.body.dataset.drawn = String(Number(document.body.dataset.drawn || 0) + 1);
}

function flip() { if (canFlip()) { state.flipped = !state.flipped; refresh(); } }
function overlay(name) { state.overlay = state.overlay === name ? "none" : name; refresh(); }
function cycle() { view = (view + 1) % views.length; $("view").textContent = `View: ${views[view]}`; if (brain) brain.view(views[view]); }
function stepAge(by) { const [low, high] = range(); setAge(state.age + by * (high - low) / 40); }
function stepVisit(by) {
  const ages = state.person.visits.map((v) => v.age);
  const found = by > 0 ? ages.find((a) => a > state.age + 1e-6) : [...ages].reverse().find((a) => a < state.age - 1e-6);
  if (found !== undefined) setAge(found);
}
function stepPerson(by) {
  const everyone = content.pages.flatMap((p) => p.people.map((q) => q[0]));
  const next = everyone[everyone.indexOf(state.person.id) + by];
  if (next) choosePerson(next);
}

const keys = { ArrowRight: () => stepAge(1), ArrowLeft: () => stepAge(-1), n: () => stepVisit(1), p: () => stepVisit(-1), " ": flip,
  c: () => overlay("change"), s: () => overlay("segmentation"), v: cycle, "]": () => stepPerson(1), "[": () => stepPerson(-1) };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT" || !(event.key in keys)) return;
  if (event.key === " " && event.target.tagName === "BUTTON") return;
  event.preventDefault(); event.stopPropagation();
  keys[event.key]();
}, true);
$("age").addEventListener("input", () => setAge(Number($("age").value), true));
$("person").addEventListener("change", () => choosePerson($("person").value));
$("series").addEventListener("change", () => chooseSeries(Number($("series").value)));
for (const [id, action] of Object.entries({ flip, change: keys.c, segmentation: keys.s, view: cycle })) $(id).addEventListener("click", action);
window.addEventListener("hashchange", () => choosePerson(decodeURIComponent(location.hash.slice(1))));

async function start() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  fill($("person"), content.pages.flatMap((p) => p.people), content.people[0].id);
  document.body.classList.toggle("flat", !hasWebGL());
  if (hasWebGL()) { brain = new Brain($("brain"), content.grid, content.labels); await brain.start(); }
  await choosePerson(content.people.some((p) => p.id === wanted) ? wanted : content.people[0].id);
  document.body.dataset.ready = "yes";
}
start();
