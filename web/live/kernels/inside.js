// The inside's kernel in the page: what vaelib/widgets/inside.py does after its faces are encoded.

import { erfc, klPerLatent, normalDraws } from "../latent.js";
import { rmse } from "../pixels.js";
import { say } from "../say.js";
import { GalleryKernel, newestOnly } from "./gallery.js";

const FARTHEST = 10; // of a latent that is set by hand
const SMALLEST = 1e-6; // deviation that a distance is divided by
const NARROWEST = 4; // end of the axis, unless a latent lies farther out
const NOTHING = new Uint8Array(0);

export class InsideKernel extends GalleryKernel {
  static view = "inside";
  static state = {
    gallery: NOTHING, gallery_size: 0, place: -1, value: {}, source: "draw", sort_by: "this face",
    first: 0, shown: 12, selected: 0, limit: NARROWEST, order: [], numbers: NOTHING, shape: [],
    original: NOTHING, decoded: NOTHING, error: 0, about: "", facts: "",
  };

  async start(options) {
    const { archive } = this;
    this.words = options.words;
    const [means, logVars] = await Promise.all(
      ["z_mean.bin", "z_log_var.bin"].map((name) => archive.numbers(name)),
    );
    this.klOfAll = new Float32Array(archive.latentDim);
    for (let row = 0; row < archive.count; row++) {
      const kl = klPerLatent(means.row(row), logVars.row(row));
      kl.forEach((nats, i) => (this.klOfAll[i] += nats / archive.count));
    }
    this.epsilon = normalDraws(archive.latentDim);
    this.decode = newestOnly(() => this.decodeNow());
    this.model.update({ shape: [archive.size, archive.size, 3], shown: options.shown ?? 12 });
    await this.showGallery();
    await this.choose(0);
  }

  get z() {
    const noise = this.model.get("source") === "draw" ? 1 : 0;
    const z = this.mean.map((mean, i) => mean + noise * this.epsilon[i] * this.deviation[i]);
    for (const [latent, value] of Object.entries(this.model.get("value"))) z[latent] = value;
    return z;
  }

  async choose(row) {
    this.asked = row;
    const image = await this.archive.face(row, this.engine);
    const { mean, logVar } = await this.archive.posterior(row);
    const original = await this.engine.png(image, this.archive.size);
    if (this.asked !== row) return;
    Object.assign(this, { image, mean, kl: klPerLatent(mean, logVar) });
    this.deviation = logVar.map((each) => Math.exp(0.5 * each));
    const order = this.sorted();
    const selected = order[this.model.get("first")];
    this.model.update({ original, place: this.placeOf(row), order, selected });
    await this.decode();
  }

  sorted() {
    const kl = this.model.get("sort_by") === "this face" ? this.kl : this.klOfAll;
    return Array.from(kl.keys()).sort((one, other) => kl[other] - kl[one]);
  }

  async decodeNow() {
    const { mean, deviation, epsilon, kl } = this;
    const value = this.model.get("value");
    const reach = mean.map((each, i) => Math.abs(each) + 2 * deviation[i]);
    const farthest = Math.max(...reach, ...Object.values(value).map(Math.abs));
    const numbers = new Float32Array(4 * mean.length);
    [mean, deviation, epsilon, kl].forEach((row, i) => numbers.set(row, i * mean.length));
    this.model.update({
      limit: Math.max(NARROWEST, Math.ceil(farthest)),
      numbers: new Uint8Array(numbers.buffer),
      ...this.explained(),
    });
    const { image, png } = await this.engine.decode(this.archive, this.z);
    const rounded = image.map((x) => Math.round(255 * x) / 255);
    this.model.update({ decoded: png, error: rmse(this.image, rounded) });
  }

  // ---------------------------------------------------------------- sentences
  explained() {
    const [first, shown] = [this.model.get("first"), this.model.get("shown")];
    const onPage = this.model.get("order").slice(first, first + shown);
    const facts = say(this.words.inside_facts, {
      sum: this.kl.reduce((sum, nats) => sum + nats, 0),
      count: this.kl.length,
      shown_sum: onPage.reduce((sum, latent) => sum + this.kl[latent], 0),
      shown: onPage.length,
    });
    return { facts, about: this.about(this.model.get("selected")).replaceAll("-", "−") };
  }

  about(latent) {
    const [mean, deviation, kl] = [this.mean[latent], this.deviation[latent], this.kl[latent]];
    const values = { latent, mean, deviation, kl, z: this.z[latent], epsilon: this.epsilon[latent] };
    if (!(latent in this.model.get("value"))) {
      return say(this.words[`inside_${this.model.get("source")}`], values);
    }
    const away = (values.z - mean) / Math.max(deviation, SMALLEST);
    return say(this.words.inside_by_hand, {
      ...values,
      away: Math.abs(away),
      side: away > 0 ? "above" : "below",
      far: Math.abs(values.z),
      rare_face: this.rarity(away),
      rare_prior: this.rarity(values.z),
    });
  }

  rarity(deviations) {
    const share = erfc(Math.abs(deviations) / Math.SQRT2);
    if (share < 1e-9) return this.words.rare_billion;
    if (share < 1e-6) return this.words.rare_million;
    if (share > 0.1) return say(this.words.rare_percent, { percent: 100 * share });
    return say(this.words.rare_one_in, { count: 1 / share });
  }

  // ---------------------------------------------------------------- what the page changes
  changed(names) {
    const { model } = this;
    if (names.includes("value")) this.setByHand();
    else if (names.includes("source")) this.decode();
    if (names.includes("sort_by")) {
      model.update({ order: this.sorted(), first: 0 });
      model.update({ selected: model.get("order")[0] });
    } else if (names.includes("first")) {
      const first = Math.min(Math.max(model.get("first"), 0), this.kl.length - 1);
      model.update({ first, selected: model.get("order")[first] });
    }
    model.update(this.explained());
  }

  setByHand() {
    const value = {};
    for (const [latent, z] of Object.entries(this.model.get("value"))) {
      value[latent] = Math.min(Math.max(z, -FARTHEST), FARTHEST);
    }
    this.model.update({ value });
    this.decode();
  }

  message(content) {
    if (content.action === "draw") {
      this.epsilon = normalDraws(this.archive.latentDim);
      this.model.update({ source: "draw" });
      this.decode();
    } else if (content.action === "reset") {
      this.model.update({ value: {} });
      this.decode();
    } else super.message(content);
  }
}
