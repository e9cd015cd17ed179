// How text of strangers is shown: as characters. What a browser would hide, or use to turn the text
// around it, becomes a small mark with its name; matched words are highlighted.

const names = new Map(Object.entries({
  0x00: 'NUL', 0x07: 'BEL', 0x08: 'BS', 0x1b: 'ESC', 0x7f: 'DEL', 0xad: 'SHY', 0x34f: 'CGJ', 0x61c: 'ALM',
  0x115f: 'HCF', 0x1160: 'HJF', 0x180e: 'MVS', 0x200b: 'ZWSP', 0x200c: 'ZWNJ', 0x200d: 'ZWJ', 0x200e: 'LRM', 0x200f: 'RLM',
  0x2028: 'LSEP', 0x2029: 'PSEP', 0x202a: 'LRE', 0x202b: 'RLE', 0x202c: 'PDF', 0x202d: 'LRO', 0x202e: 'RLO',
  0x2060: 'WJ', 0x2066: 'LRI', 0x2067: 'RLI', 0x2068: 'FSI', 0x2069: 'PDI', 0x3164: 'HF', 0xfeff: 'BOM', 0xffa0: 'HWHF',
}).map(([cp, name]) => [Number(cp), name]));

// Everything that shows nothing by itself. Tab and line feed do their work.
const unseen = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;

export const hides = (text) => typeof text === 'string' && unseen.test(text);

function mark(c) {
  const cp = c.codePointAt(0);
  const hex = `U+${cp.toString(16).toUpperCase().padStart(4, '0')}`;
  const e = document.createElement('span');
  e.className = 'unseen-mark';
  e.textContent = names.get(cp) ?? hex;
  e.title = hex;
  return e;
}

// A node with the text in it.
export function plain(text) {
  if (!unseen.test(text)) return document.createTextNode(text);
  const all = document.createDocumentFragment();
  let run = '';
  for (const c of text) {
    if (unseen.test(c)) {
      if (run) all.append(run);
      run = '';
      all.append(mark(c));
    } else {
      run += c;
    }
  }
  if (run) all.append(run);
  return all;
}

// The text with its matches highlighted. `hits`: {start, end, title}, in UTF-16 units of `text`;
// overlapping ones are drawn as one. Gives an element that keeps line breaks and its own direction.
export function marked(text, hits) {
  const box = document.createElement('div');
  box.className = 'quote';
  if (text.length > 60 || text.includes('\n')) box.tabIndex = 0; // it may scroll, and then needs the keyboard
  let at = 0;
  for (const hit of joined(hits, text.length)) {
    if (hit.start > at) box.append(plain(text.slice(at, hit.start)));
    const m = document.createElement('mark');
    m.append(plain(text.slice(hit.start, hit.end)));
    if (hit.title) m.title = hit.title;
    box.append(m);
    at = hit.end;
  }
  box.append(plain(text.slice(at)));
  return box;
}

function joined(hits, length) {
  const sorted = hits.filter((x) => x.start >= 0 && x.start < x.end && x.end <= length)
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const out = [];
  for (const x of sorted) {
    const last = out.at(-1);
    if (last && x.start < last.end) {
      last.end = Math.max(last.end, x.end);
      if (x.title && !last.title?.includes(x.title)) last.title = [last.title, x.title].filter(Boolean).join('; ');
    } else {
      out.push({ ...x });
    }
  }
  return out;
}

// Where a word stands in its context: the place nearest to the middle, since contexts are cut around
// their word. Nothing when it is not there (masked, or seen through a join).
export function place_of(word, context) {
  if (!word || !context) return null;
  let best = null;
  const middle = (context.length - word.length) / 2;
  for (let at = context.indexOf(word); at >= 0; at = context.indexOf(word, at + 1))
    if (best === null || Math.abs(at - middle) < Math.abs(best - middle)) best = at;
  return best === null ? null : { start: best, end: best + word.length };
}

// Offsets in bytes of UTF-8, as the gateway counts, to UTF-16 units, as a page does.
export function from_bytes(text, offsets) {
  const wanted = [...new Set(offsets)].sort((a, b) => a - b);
  const found = new Map();
  let bytes = 0;
  let units = 0;
  let i = 0;
  for (const c of text) {
    while (i < wanted.length && wanted[i] <= bytes) found.set(wanted[i++], units);
    const cp = c.codePointAt(0);
    bytes += cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    units += c.length;
  }
  while (i < wanted.length) found.set(wanted[i++], units);
  return (offset) => found.get(offset);
}
