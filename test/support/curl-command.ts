/** A curl command of a document as the request it sends. */
export interface CurlCommand {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Reads a curl command with the options -s, -X, -H and -d, so that documents can be tested where there is no curl.
 * Throws for anything else.
 */
export function parseCurl(command: string): CurlCommand {
  const [program, ...words] = shellWords(command);
  if (program !== 'curl') throw new Error(`not a curl command: ${command}`);
  const headers: Record<string, string> = {};
  let url: string | undefined;
  let method: string | undefined;
  let body: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '-s') continue;
    if (word === '-X') method = words[++at];
    else if (word === '-d') body = words[++at];
    else if (word === '-H') {
      const [name = '', ...value] = (words[++at] ?? '').split(':');
      headers[name] = value.join(':').trim();
    } else if (word.startsWith('-') || url !== undefined) throw new Error(`unknown in a curl command: ${word}`);
    else url = word;
  }
  if (url === undefined) throw new Error(`a curl command without a URL: ${command}`);
  return {
    url,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    ...(body === undefined ? {} : { body }),
  };
}

/** Words as a shell makes them of plain and single-quoted text; a backslash ends a line. Throws for what a shell would replace. */
function shellWords(command: string): string[] {
  const joined = command.replace(/\\\n/g, ' ');
  const words = joined.match(/'[^']*'|[^\s']+/g) ?? [];
  return words.map((word) => {
    if (word.startsWith("'")) return word.slice(1, -1);
    if (/["$`\\&;|<>*?(){}]/.test(word)) throw new Error(`a shell would not take this literally: ${word}`);
    return word;
  });
}
