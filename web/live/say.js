// Sentences that the notebooks and the pages share: vaelib/sentences.json, filled with values.

// Fill a sentence as Python's `format` does: {name}, {name:.1f}, {name:,.0f}.
export function say(sentence, values) {
  return sentence.replace(/\{(\w+)(?::(,?)\.(\d)f)?\}/g, (_, name, commas, digits) => {
    const value = values[name];
    if (digits === undefined) return value;
    const options = { minimumFractionDigits: +digits, maximumFractionDigits: +digits };
    return value.toLocaleString("en", { ...options, useGrouping: commas === "," });
  });
}
