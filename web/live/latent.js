// Arithmetic in the latent space, as in vaelib/latent.py and vaelib/metrics.py.

// z plus each named vector times its strength.
export function edit(z, strengths, vectors) {
  const edited = z.slice();
  for (const [name, strength] of Object.entries(strengths)) {
    const vector = vectors.get(name);
    for (let i = 0; i < edited.length; i++) edited[i] += strength * vector[i];
  }
  return edited;
}

// Latents on the straight line from one face to another, both included.
export function interpolate(start, end, steps) {
  return Array.from({ length: steps }, (_, step) => {
    const t = step / (steps - 1);
    return start.map((from, i) => (1 - t) * from + t * end[i]);
  });
}

// KL divergence of each latent from N(0, 1), in nats.
export function klPerLatent(mean, logVar) {
  return mean.map((m, i) => 0.5 * (m * m + Math.exp(logVar[i]) - logVar[i] - 1));
}

// Draws from N(0, 1): Box and Muller, 1958.
export function normalDraws(count) {
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    return radius * Math.cos(2 * Math.PI * Math.random());
  });
}

// The complementary error function: Abramowitz and Stegun's formula has an absolute error of 1e-7,
// this one a relative error of 1.2e-7 (Press et al., Numerical Recipes, 1992, section 6.2).
export function erfc(x) {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  const powers = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
    1.48851587, -0.82215223, 0.17087277,
  ];
  const sum = powers.reduceRight((total, power) => total * t + power, 0);
  const result = t * Math.exp(-x * x + sum);
  return x >= 0 ? result : 2 - result;
}
