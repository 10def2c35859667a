// The studio's kernel in the page: what vaelib/widgets/studio.py does, without a truth.

import { Ahead } from "../ahead.js";
import { edit } from "../latent.js";
import { readPhoto } from "../photo.js";
import { rmse } from "../pixels.js";
import { say } from "../say.js";
import { GalleryKernel, newestOnly } from "./gallery.js";

const NOTHING = new Uint8Array(0);
const FETCHING = "The model is being fetched…";

export class StudioKernel extends GalleryKernel {
  static view = "studio";
  static state = {
    gallery: NOTHING, gallery_size: 0, place: -1, value: {}, dragging: false, sliders: [],
    choices: [], limit: 2, look_ahead: true, original: NOTHING, reconstruction: NOTHING,
    edited: NOTHING, edited_for: {}, truth: NOTHING, can_undo: false, code: "", message: "",
    row: null, // of the face; null for a photo
    photo_title: "Choose a file, or drop one here: it is encoded in this page and sent nowhere",
  };

  // Whether the widget can be used before the decoder is there.
  beginsWithout({ face = 0, value = {} }) {
    this.ahead = new Ahead(this.archive, face, value);
    return this.ahead.isThere;
  }

  // options: sliders, value, face (a row), words (of sentences.json).
  async start(options) {
    this.words = options.words;
    // If one of them does not come, the decoder has to.
    const fetched = this.beginsWithout(options)
      ? this.ahead.fetch().catch(() => this.ahead.forget())
      : null;
    this.vectors = await this.archive.vectors();
    const known = (name) => this.vectors.has(name);
    const value = this.inside(options.value ?? {});
    const sliders = [...new Set([...(options.sliders ?? []), ...Object.keys(value)])].filter(known);
    this.model.update({ choices: [...this.vectors.keys()], sliders, value });
    this.history = [];
    this.turn = 0; // number of the last face that was asked for
    this.shown = 0; // and of the last one that is there
    this.photo = [];
    this.draw = newestOnly(() => this.drawNow());
    const row = Number.isInteger(options.face) ? options.face : 0;
    await Promise.all([this.showGallery(), fetched]);
    await this.choose(row >= 0 && row < this.archive.count ? row : 0);
  }

  // A face that is decoded now or, while that can't be, one that came with the page; else null.
  async decoded(subject, value) {
    if (!this.engine.canDecode(this.archive)) {
      if (!this.ahead.isThere || subject.row !== this.ahead.row) return null;
      return this.ahead.face(value).catch(() => null); // a damaged file
    }
    return this.engine.decode(this.archive, edit(subject.z, value, this.vectors));
  }

  // ---------------------------------------------------------------- which face
  async choose(row) {
    const turn = (this.turn += 1);
    const image = await this.archive.face(row, this.engine);
    await this.begin({ image, z: await this.archive.mean(row), row }, turn);
  }

  async begin(subject, turn) {
    const couldDecode = this.engine.canDecode(this.archive);
    const soon = await this.decoded(subject, {});
    if (!soon) this.wait(true);
    const exactly = () => this.engine.decode(this.archive, subject.z);
    const [original, first] = await Promise.all([
      this.engine.png(subject.image, this.archive.size),
      soon ?? exactly(),
    ]);
    const isLate = soon && !couldDecode && this.engine.canDecode(this.archive);
    const { png, image } = isLate ? await exactly() : first;
    if (turn !== this.turn) return null; // another face was asked for meanwhile
    Object.assign(this, { subject, shown: turn });
    this.model.update({ original, reconstruction: png, place: this.placeOf(subject.row), message: "" });
    this.model.update({ row: subject.row });
    await this.draw();
    if (!this.model.get("dragging")) this.settle();
    return image;
  }

  // A face and strengths from outside, such as a link.
  async show(row, value) {
    this.setValue(this.inside(value));
    if (row >= 0 && row < this.archive.count && this.isOther(row)) await this.choose(row);
  }

  // Whether this row is not shown, or about to be replaced by another one.
  isOther(row) {
    return row !== this.subject.row || this.shown !== this.turn;
  }

  async open(name, bytes) {
    let image;
    try {
      image = await readPhoto(bytes, name, this.archive.size, this.words);
    } catch (error) {
      this.model.update({ message: error.message });
      return;
    }
    this.model.update({ message: "The encoder is being fetched…" });
    const turn = (this.turn += 1);
    let mean;
    try {
      ({ mean } = await this.engine.encode(this.archive, image));
    } catch {
      if (turn === this.turn) this.turn = this.shown;
      this.model.update({ message: "The encoder could not be fetched: choose the photo again." });
      return;
    }
    const reconstruction = await this.begin({ image, z: mean, row: null }, turn);
    if (!reconstruction) return;
    const [error, usual] = [rmse(image, reconstruction), this.archive.index.usual_error];
    if (error > usual) {
      this.model.update({ message: say(this.words.photo_unlike, { name, error, usual }) });
    }
  }

  // The decoder is there: draw the face anew.
  async exact() {
    this.ahead.forget();
    const { subject } = this;
    const { png } = await this.engine.decode(this.archive, subject.z);
    if (subject !== this.subject) return; // another face came meanwhile
    this.model.update({ reconstruction: png });
    await this.draw();
  }

  // ---------------------------------------------------------------- the sliders
  inside(value) {
    const limit = this.model.get("limit");
    const known = Object.entries(value).filter(([name]) => this.vectors.has(name));
    const within = known.map(([name, x]) => [name, Math.min(Math.max(x, -limit), limit)]);
    return Object.fromEntries(within.filter(([, strength]) => strength));
  }

  changed(names) {
    if (names.includes("value")) this.setValue(this.model.get("value"));
    else if (names.includes("dragging") && !this.model.get("dragging")) this.settle();
  }

  setValue(value) {
    const inside = this.inside(value);
    const sliders = [...new Set([...this.model.get("sliders"), ...Object.keys(inside)])];
    this.model.update({ value: inside, sliders });
    this.draw();
    if (!this.model.get("dragging")) this.settle();
  }

  async drawNow() {
    const value = this.model.get("value");
    const parts = Object.entries(value).map(([name, x]) => `"${name}": ${+x.toPrecision(6)}`);
    this.model.update({ code: `edit(z, {${parts.join(", ")}}, vectors=vectors)` });
    const face = await this.decoded(this.subject, value);
    if (face) this.model.update({ edited: face.png, edited_for: value });
    this.wait(!face); // then `exact` draws it
  }

  wait(forModel) {
    if (forModel) this.model.update({ message: FETCHING });
    else if (this.model.get("message") === FETCHING) this.model.update({ message: "" });
  }

  // After a drag: remember a step to undo.
  settle() {
    const state = { subject: this.subject, value: this.model.get("value") };
    const last = this.history.at(-1);
    const isNew = last?.subject !== state.subject || text(last.value) !== text(state.value);
    if (isNew) this.history.push(state);
    this.model.update({ can_undo: this.history.length > 1 });
  }

  async undo() {
    if (this.history.length < 2) return;
    this.history.pop();
    const { subject, value } = this.history.at(-1);
    const sliders = [...new Set([...this.model.get("sliders"), ...Object.keys(value)])];
    this.model.update({ value, sliders });
    await this.begin(subject, (this.turn += 1));
  }

  remove(name) {
    const { [name]: _, ...value } = this.model.get("value");
    this.setValue(value);
    this.model.update({ sliders: this.model.get("sliders").filter((other) => other !== name) });
  }

  async lookAhead({ values, subject }) {
    if (!this.engine.canDecode(this.archive)) return;
    this.engine.cancel("ahead"); // what an earlier slider asked for
    const z = values.map((value) => edit(this.subject.z, this.inside(value), this.vectors));
    const faces = await Promise.all(z.map((each) => this.engine.decode(this.archive, each, "ahead")));
    this.model.answer({ action: "ahead", values, subject }, faces.map(({ png }) => png));
  }

  message(content, buffers) {
    const { action, name } = content;
    if (action === "add") this.model.update({ sliders: [...new Set([...this.model.get("sliders"), name])] });
    else if (action === "remove") this.remove(name);
    else if (action === "reset") this.setValue({});
    else if (action === "undo") this.undo();
    else if (action === "ahead") this.lookAhead(content);
    else if (action === "photo") this.receive(content, buffers[0]);
    else super.message(content);
  }

  receive({ name, part, parts }, bytes) {
    if (part === 0) this.photo = [];
    this.photo.push(bytes);
    if (part === parts - 1) this.open(name, new Blob(this.photo.splice(0)));
  }
}

function text(value) {
  return JSON.stringify(Object.entries(value).sort());
}
