/** False only where none of the words stands anywhere in the text, whatever its case. */
export type TextFilter = (text: string) => boolean;

/** Letters, then digits, then everything else as one: a gap between words. */
const classes = 37;
const gap = 36;

/**
 * Tells in one pass over a text that it holds none of the words. The text of every unlisted diagnosis and medication is
 * looked through by every feature, for a dozen words or more: one pattern after the other would cost more than all else
 * in a prediction. It may let a text through that has none (any gap is taken for any other, a text that is not ASCII
 * always passes), so what passes must be looked at closely.
 * @param words each anywhere in the text, or with `whole` only between two gaps
 */
export function compileTextFilter(words: readonly { readonly text: string; readonly whole: boolean }[]): TextFilter {
  // The automaton of Aho and Corasick: a state is the longest end of what was read that begins a word.
  const next: number[][] = [[]];
  const ends: boolean[] = [false];
  for (const { text, whole } of words) {
    if (!isAscii(text)) continue; // cannot stand in a text that is
    let state = 0;
    for (const each of whole ? [gap, ...classesOf(text), gap] : classesOf(text)) {
      const row = next[state] ?? [];
      let following = row[each];
      if (following === undefined) {
        following = next.push([]) - 1;
        ends.push(false);
        row[each] = following;
      }
      state = following;
    }
    ends[state] = true;
  }
  const table = completed(next, ends);
  return (text) => {
    let state = table[gap] ?? 0; // a text begins, and ends, with a gap
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 127) return true;
      state = table[state * classes + (classOfCode[code] ?? gap)] ?? 0;
      if (ends[state] === true) return true;
    }
    return ends[table[state * classes + gap] ?? 0] === true;
  };
}

/** Every state's successors, those that fall back to a shorter beginning included, row after row. */
function completed(next: readonly (readonly number[])[], ends: boolean[]): Uint16Array {
  const table = new Uint16Array(next.length * classes);
  const fallback = new Uint16Array(next.length);
  const queue = [0];
  for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
    const shorter = fallback[state] ?? 0;
    if (ends[shorter] === true) ends[state] = true;
    for (let each = 0; each < classes; each++) {
      const onward = state === 0 ? 0 : (table[shorter * classes + each] ?? 0);
      const following = next[state]?.[each];
      table[state * classes + each] = following ?? onward;
      if (following === undefined) continue;
      fallback[following] = onward;
      queue.push(following);
    }
  }
  return table;
}

const classOfCode = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase();
  if (character >= 'a' && character <= 'z') return character.charCodeAt(0) - 97;
  return character >= '0' && character <= '9' ? 26 + Number(character) : gap;
});

function classesOf(text: string): number[] {
  return Array.from(text, (character) => classOfCode[character.charCodeAt(0)] ?? gap);
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
