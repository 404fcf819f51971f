/** What plain YAML holds: text stays text, also where it looks like a number or a boolean. */
export type PlainYaml = string | PlainYaml[] | { [key: string]: PlainYaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/**
 * Reads the small part of YAML that compose files and alert rules need: mappings and lists (also of mappings) in block style, scalars on
 * one line, lists of quoted words in one line. Throws for everything else (tabs, anchors, tags, folded text, keys given twice).
 */
export function parsePlainYaml(text: string): PlainYaml {
  const lines = text.split('\n').flatMap((raw, index): Line[] => {
    const content = raw.replace(/(^|\s)#.*$/, '').trimEnd();
    if (content.trim() === '') return [];
    const indent = content.length - content.trimStart().length;
    if (content.includes('\t')) throw new Error(`line ${index + 1}: a tab`);
    return [{ number: index + 1, indent, text: content.trim() }];
  });
  const [value, rest] = readBlock(lines);
  if (rest.length > 0) throw new Error(`line ${rest[0]?.number}: less indented than what it belongs to`);
  return value;
}

/** The block that begins with the first line, and the lines behind it. */
function readBlock(lines: readonly Line[]): [PlainYaml, readonly Line[]] {
  const [first] = lines;
  if (first === undefined) throw new Error('nothing there');
  return first.text.startsWith('- ') ? readList(lines, first.indent) : readMapping(lines, first.indent);
}

function readList(lines: readonly Line[], indent: number): [PlainYaml[], readonly Line[]] {
  const items: PlainYaml[] = [];
  let rest = lines;
  for (let [line] = rest; line !== undefined && line.indent === indent; [line] = rest) {
    if (!line.text.startsWith('- ')) throw new Error(`line ${line.number}: not an item of the list`);
    const text = line.text.slice(2).trimStart();
    if (!/^[\w.-]+:( |$)/.test(text)) {
      items.push(scalar(text, line));
      rest = rest.slice(1);
      continue;
    }
    // The first key of a mapping stands where the rest of it is indented to.
    const inner = { ...line, indent: indent + 2, text };
    const [item, behind] = readMapping([inner, ...rest.slice(1)], inner.indent);
    items.push(item);
    rest = behind;
  }
  return [items, rest];
}

function readMapping(lines: readonly Line[], indent: number): [Record<string, PlainYaml>, readonly Line[]] {
  const mapping: Record<string, PlainYaml> = {};
  let rest = lines;
  for (let [line] = rest; line !== undefined && line.indent === indent; [line] = rest) {
    const [, key = '', value = ''] = /^([\w.-]+):(?: +(.+))?$/.exec(line.text) ?? [];
    if (key === '' || key in mapping) throw new Error(`line ${line.number}: no key, or one given twice`);
    rest = rest.slice(1);
    const [next] = rest;
    if (value !== '') mapping[key] = scalar(value, line);
    else if (next !== undefined && next.indent > indent) [mapping[key], rest] = readBlock(rest);
    else mapping[key] = '';
  }
  const [next] = rest;
  if (next !== undefined && next.indent > indent) throw new Error(`line ${next.number}: indented too far`);
  return [mapping, rest];
}

function scalar(text: string, { number }: Line): PlainYaml {
  if (text.startsWith('[') || text.startsWith('"')) return JSON.parse(text) as PlainYaml;
  if (/^[&*!|>{'%@`]/.test(text) || /^- |: /.test(text)) throw new Error(`line ${number}: more than plain YAML`);
  return text;
}
