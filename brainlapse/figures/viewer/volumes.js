"use strict";
// Volumes: unpacking the embedded bytes, the picture of an age, NiiVue.

const SNAP = 0.012;  // share of the slider's range within which it holds at a visit

async function unpack(id) {
  const text = document.getElementById(id).textContent;
  const binary = atob(text), packed = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function volumesOf(person) {  // id -> bytes of every volume that a person's page can show
  const ids = new Set();
  for (const visit of person.visits) for (const id of [visit.volume, visit.labels]) if (id) ids.add(id);
  for (const series of person.series)
    for (const frame of [series.start, ...series.frames]) if (frame.volume) ids.add(frame.volume);
  const list = [...ids], bytes = await Promise.all(list.map(unpack));
  return new Map(list.map((id, i) => [id, bytes[i]]));
}

function bracket(frames, age) {  // the frames around an age and the weight of the later one
  let last = frames.length - 1;
  if (age >= frames[last].age) return [frames[last], frames[last], 0];
  let i = 0;
  while (frames[i + 1].age < age) i++;
  const span = frames[i + 1].age - frames[i].age;
  return [frames[i], frames[i + 1], span > 0 ? (age - frames[i].age) / span : 0];
}

function nearest(visits, age) {
  return visits.reduce((best, v) => Math.abs(v.age - age) < Math.abs(best.age - age) ? v : best);
}

// What is shown at an age: a real scan, or the forecast, blended between the two decoded ages.
function choose(person, series, age, flipped) {
  const seen = person.visits.filter((v) => !series || v.age <= series.start.age + 1e-6);
  const visit = nearest(person.visits, age);
  const onVisit = Math.abs(visit.age - age) < 1e-6;
  if (!series || age <= series.start.age + 1e-6 || (flipped && onVisit))
    return { kind: "scan", visit: onVisit ? visit : nearest(seen, age) };
  const [early, late, weight] = bracket([series.start, ...series.frames], age);
  return { kind: "forecast", early, late, weight, visit: onVisit ? visit : null };
}

function mix(target, early, late, weight) {
  if (weight === 0 || early === late) target.set(weight < 1 ? early : late);
  else for (let i = 0; i < target.length; i++) target[i] = early[i] + weight * (late[i] - early[i]) + 0.5;
}

class Brain {  // a NiiVue canvas: the scan, and over it its change or its segmentation
  constructor(canvas, grid, labels) {
    Object.assign(this, { canvas, grid, labels, blank: new Uint8Array(grid.shape.reduce((a, b) => a * b)) });
  }

  async start() {
    this.nv = new niivue.Niivue({
      backColor: [0, 0, 0, 1], crosshairColor: [0.34, 0.71, 0.91, 0.7], crosshairWidth: 0.6, crosshairWidthUnit: "mm", show3Dcrosshair: false,
      isColorbar: false, isOrientCube: false, dragAndDropEnabled: false, logLevel: "error", loadingText: "",
      multiplanarForceRender: false, multiplanarShowRender: niivue.SHOW_RENDER.NEVER, isAntiAlias: false,
      clipPlaneHotKey: "", cycleClipPlaneHotKey: "", viewModeHotKey: "", tileMargin: 2, sagittalNoseLeft: true,
    });
    await this.nv.attachToCanvas(this.canvas);
    this.nv.addColormap("growth", { R: [255, 230, 213], G: [255, 159, 94], B: [255, 0, 0], A: [0, 140, 255], I: [0, 110, 255] });
    this.nv.addColormap("loss", { R: [255, 86, 0], G: [255, 180, 114], B: [255, 233, 178], A: [0, 140, 255], I: [0, 110, 255] });
    this.scan = await this.layer("scan", new Uint8Array(this.blank.length), 2, { colormap: "gray", high: 255 });
    this.change = await this.layer("change", new Int16Array(this.blank.length), 4,
      { colormap: "growth", negative: "loss", low: 8, high: 64, opacity: 0.85 });
    this.parts = await this.layer("segmentation", new Uint8Array(this.blank.length), 2, { colormap: "gray", high: 255, opacity: 0.45 });
    if (this.labels.length) this.parts.setColormapLabel({
      R: [0, ...this.labels.map((l) => l.colour[0])], G: [0, ...this.labels.map((l) => l.colour[1])],
      B: [0, ...this.labels.map((l) => l.colour[2])], A: [0, ...this.labels.map(() => 255)],
      I: [0, ...this.labels.map((l) => l.index)], labels: ["", ...this.labels.map((l) => l.name)],
    });
    this.over = null;  // the layer over the scan: each costs time whenever the age changes
    this.nv.addVolume(this.scan);
    this.greys = new Uint32Array(new Uint8Array(this.nv.colormap("gray")).buffer);  // RGBA of each grey
    this.painted = new Uint32Array(this.blank.length);
    this.nv.setSliceType(this.nv.sliceTypeMultiplanar);
    if (this.grid.focus_mm) this.nv.scene.crosshairPos = this.nv.mm2frac(this.grid.focus_mm);
  }

  async layer(name, voxels, datatype, { colormap, negative = "", low = 0, high, opacity = 1 }) {
    const { shape, voxel_mm: size, affine } = this.grid;
    const file = niivue.NVImage.createNiftiArray(shape, [size, size, size], affine, datatype, voxels);
    const image = await niivue.NVImage.new(file.buffer, name + ".nii", colormap, opacity, null, low, high,
      true, 0.02, false, false, negative);
    Object.assign(image, { cal_min: low, cal_max: high, cal_minNeg: -high, cal_maxNeg: -low });
    if (negative) image.colormapType = 2;  // below the lower end nothing is drawn
    return image;
  }

  // Show a picture (see `choose`) with the change since a reference, or with a segmentation.
  show(bytes, picture, references, overlay) {
    const of = (id) => bytes.get(id) || this.blank;
    const reference = of(picture.kind === "scan" ? references.scan : references.forecast);
    if (picture.kind === "scan") this.scan.img.set(of(picture.visit.volume));
    else mix(this.scan.img, of(picture.early.volume), of(picture.late.volume), picture.weight);
    if (overlay === "change")
      for (let i = 0; i < reference.length; i++) this.change.img[i] = this.scan.img[i] - reference[i];
    if (overlay === "segmentation") this.parts.img.set(of(picture.kind === "scan" ? picture.visit.labels : references.labels));
    const over = { change: this.change, segmentation: this.parts }[overlay] || null;
    if (over === this.over) { if (over) this.nv.updateGLVolume(); else this.repaint(); return; }
    if (this.over) this.nv.removeVolume(this.over);
    if (over) this.nv.addVolume(over);
    this.over = over;
    this.nv.updateGLVolume();
  }

  // The scan alone, by a look-up of its greys. NiiVue's own way also finds the gradients of the volume, which slices
  // don't need, and takes five times as long where a processor draws. Voxels lie as the texture's do: both are RAS.
  repaint() {
    const gl = this.nv.gl, [x, y, z] = this.grid.shape, voxels = this.scan.img;
    for (let i = 0; i < voxels.length; i++) this.painted[i] = this.greys[voxels[i]];
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_3D, this.nv.volumeTexture);
    gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, 0, x, y, z, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(this.painted.buffer));
    this.nv.drawScene();
  }

  view(name) {
    const types = { slices: "sliceTypeMultiplanar", axial: "sliceTypeAxial", coronal: "sliceTypeCoronal",
      sagittal: "sliceTypeSagittal", surface: "sliceTypeRender" };
    this.nv.setSliceType(this.nv[types[name]]);
  }
}

function hasWebGL() {
  try { return Boolean(document.createElement("canvas").getContext("webgl2")); } catch (error) { return false; }
}
