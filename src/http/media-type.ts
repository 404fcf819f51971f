export interface MediaType {
  /** In lower case, without parameters. */
  readonly type: string;
  /** Names in lower case; values as given, without quotes. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

/** Reads one media type with its parameters, as `application/fhir+json; fhirVersion=4.0`. */
export function parseMediaType(text: string): MediaType | undefined {
  const [first = '', ...rest] = text.split(';');
  const type = first.trim().toLowerCase();
  if (!/^[\w.+*-]+\/[\w.+*-]+$/.test(type)) return undefined;
  const parameters: Record<string, string> = {};
  for (const part of rest) {
    const [, name, value] = /^\s*([\w-]+)\s*=\s*"?([^"]*)"?\s*$/.exec(part) ?? [];
    if (name !== undefined && value !== undefined) parameters[name.toLowerCase()] = value.trim();
  }
  return { type, parameters };
}
