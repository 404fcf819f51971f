import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts';

/** Sequences in sequences: real ones have a handful. */
const deepest = 32;

/**
 * An object of an answer as a data set of DICOM JSON (PS3.18 F.2): tags in upper case, an element with a value representation; undefined where it
 * is none. What the values are is not judged here.
 * @param absolute makes a BulkDataURI absolute; undefined: it is left out, and the element has no value
 */
export function parseDataset(
  value: unknown,
  absolute: (uri: string) => string | undefined,
  depth = 0,
): DicomJson | undefined {
  if (!isObject(value) || depth > deepest) return undefined;
  const dataset: Record<string, DicomJsonElement> = {};
  for (const [name, element] of Object.entries(value)) {
    if (!/^[0-9A-Fa-f]{8}$/.test(name) || !isObject(element)) return undefined;
    const { vr, Value: values, BulkDataURI: uri, InlineBinary: inline } = element;
    if (typeof vr !== 'string' || !/^[A-Z]{2}$/.test(vr)) return undefined;
    if (values !== undefined && !Array.isArray(values)) return undefined;
    if (inline !== undefined && typeof inline !== 'string') return undefined;
    const items = vr === 'SQ' ? values?.map((item) => parseDataset(item ?? {}, absolute, depth + 1)) : values;
    if (vr === 'SQ' && items?.includes(undefined) === true) return undefined;
    const found = typeof uri === 'string' ? absolute(uri) : undefined;
    dataset[name.toUpperCase()] = {
      vr,
      ...(items === undefined ? {} : { Value: items }),
      ...(found === undefined ? {} : { BulkDataURI: found }),
      ...(inline === undefined ? {} : { InlineBinary: inline }),
    };
  }
  return dataset;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
