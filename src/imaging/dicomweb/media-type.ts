import { MIMEType } from 'node:util';

/** A media type with its parameters, as the Content-Type header of an answer or of a part names it. */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly essence: string;
  /** The value of a parameter, unquoted; undefined where there is none. Its name is given in lower case. */
  readonly parameter: (name: string) => string | undefined;
}

/**
 * Reads the value of a Content-Type header; undefined where it is none. Orthanc 1.10 writes the transfer syntax inside the quotes of
 * `type` (`type="application/octet-stream; transfer-syntax=1.2.840.10008.1.2"`): it is found there too (DW-14).
 */
export function parseMediaType(text: string | undefined): MediaType | undefined {
  const outer = read(text);
  if (outer === undefined) return undefined;
  const type = outer.params.get('type');
  const inner = type === null ? undefined : read(type);
  return {
    essence: outer.essence,
    parameter: (name) => {
      if (name === 'type' && inner !== undefined) return inner.essence;
      return outer.params.get(name) ?? inner?.params.get(name) ?? undefined;
    },
  };
}

function read(text: string | undefined): MIMEType | undefined {
  try {
    return text === undefined ? undefined : new MIMEType(text);
  } catch {
    return undefined; // says that it is none
  }
}
