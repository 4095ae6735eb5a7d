// Elements and words. Text from outside goes through textContent and nothing else.

export function el(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = clean(text);
  return element;
}

export function set(element, text) {
  const cleaned = clean(text);
  if (element.textContent !== cleaned) element.textContent = cleaned;
}

// What could make a text look like another one: controls, marks of direction, what takes no room, tags.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Spells out what cannot be seen. */
export function clean(text) {
  return String(text).replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

export function count(n) { return Number(n).toLocaleString("en-US"); }

/** A number that is too large for a double stands as text beside it. */
export function exact(object, key) {
  const value = object[key];
  const text = object[`${key}_text`];
  return !Number.isSafeInteger(value) && typeof text === "string" ? BigInt(text).toLocaleString("en-US") : count(value);
}

/** A duration. With the document it came in, it goes on by itself since that came. */
export function age(ms, document) {
  if (ms === undefined || ms === null) return "";
  const since = document?.received === undefined ? 0 : performance.now() - document.received;
  const s = (ms + since) / 1000;
  if (s < 0.9995) return `${Math.round(s * 1000)}ms`;
  if (s < 60) return `${s.toFixed(1)}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${Math.floor(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`;
}

export function bytes(n) {
  if (n === undefined || n === null) return "unknown";
  for (const [unit, size] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (n >= size) return `${(n / size).toFixed(n / size < 100 ? 1 : 0)} ${unit}`;
  }
  return `${n} B`;
}

/** What a counter's name begins with when it counts one outcome of another counter, and the word for that outcome. */
const OUTCOMES = [["successful_", "success"], ["failed_", "failed"], ["cancelled_", "cancelled"]];

/** The counters of a context as a terminal shows them too: its own first, outcomes beside what they are of; live ones after totals. */
export function counters(context, most = Infinity) {
  return [
    ...first(counted(context.total_counters, context.subtree_total_counters, true), most),
    ...first(counted(context.live_counters, context.subtree_live_counters, false), most).map((text) => `live ${text}`),
  ];
}

function first(texts, most) {
  return texts.length > most ? [...texts.slice(0, most), `+${count(texts.length - most)} more`] : texts;
}

function counted(own = {}, below = {}, zeros) {
  const texts = [];
  for (const all of [own, below]) {
    for (const name of Object.keys(all)) {
      const isText = name.endsWith("_text") && typeof all[name] === "string";
      // An outcome joins only a count of the same reach: a subtree's failures are not its root's.
      const isOfAnother = OUTCOMES.some(([prefix]) => name.startsWith(prefix) && Object.hasOwn(all, name.slice(prefix.length)));
      const isKnown = all === below && (Object.hasOwn(own, name) ||
        (name.startsWith(OUTCOMES[0][0]) && Object.hasOwn(own, name.slice(OUTCOMES[0][0].length))));
      if (!isText && !isOfAnother && !isKnown && (zeros || all[name] !== 0)) {
        texts.push(numbered(exact(all, name), name) + outcomes(all, name));
      }
    }
  }
  return texts;
}

function outcomes(all, name) {
  const parts = OUTCOMES.filter(([prefix]) => Object.hasOwn(all, prefix + name) && all[prefix + name] !== 0)
    .map(([prefix, word]) => `${exact(all, prefix + name)} ${word}`);
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

const SAME_IN_PLURAL = /^(series|species)$/i;
const PLURAL_IN_IE = /^(cookie|movie|zombie)s$/i;

/** A number that is written already, and what it counts: `1 message`, `1,234 pieces reserved`. */
export function numbered(number, name) {
  const words = name.replaceAll("_", " ").split(" ");
  const plural = words.findLastIndex((word) => /..(?<!s|u|i)s$/i.test(word) && !SAME_IN_PLURAL.test(word));
  if (number === "1" && plural >= 0) words[plural] = singular(words[plural]);
  return `${number} ${words.join(" ")}`;
}

function singular(word) {
  if (/..ies$/i.test(word) && !PLURAL_IN_IE.test(word)) return `${word.slice(0, -3)}y`;
  return word.replace(/(?<=ss|sh|tch|rch|nch|x)es$|s$/i, "");
}
