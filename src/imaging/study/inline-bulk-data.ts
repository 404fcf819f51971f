import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts';
import { ImageFault } from '../image-fault.ts';

/** Tables by which pixels are read: LUTData, and red, green and blue of a palette. */
const tables: ReadonlySet<string> = new Set(['00283006', '00281201', '00281202', '00281203']);

/** Of one image: one a frame and more is a server that should have put them in. */
const mostFetched = 64;

/** Of one table: 65,536 entries of 16 bits are half of it. */
const mostBytes = 262_144;

/**
 * The dataset with the tables in place that the server named by address only (DW-10). Pixels and all else stay where they are.
 * @param valueAt the value at an address; throws IMAGES_UNREACHABLE
 * Throws ImageFault where there are too many, or one is too large.
 */
export async function inlineBulkData(
  dataset: DicomJson,
  valueAt: (uri: string) => Promise<Uint8Array>,
): Promise<DicomJson> {
  let fetched = 0;
  const inlined = async (tag: string, element: DicomJsonElement): Promise<DicomJsonElement> => {
    if (element.BulkDataURI !== undefined && tables.has(tag)) {
      if (++fetched > mostFetched)
        throw new ImageFault('image-unsupported', `The image has more than ${mostFetched} tables that lie elsewhere`);
      const value = await valueAt(element.BulkDataURI);
      if (value.length > mostBytes)
        throw new ImageFault(
          'image-unsupported',
          `A table of the image has ${value.length} bytes; at most ${mostBytes} are read`,
        );
      return { vr: element.vr, InlineBinary: Buffer.from(value).toString('base64') };
    }
    if (element.vr !== 'SQ' || !Array.isArray(element.Value)) return element;
    const items: unknown[] = [];
    for (const item of element.Value) items.push(isDataset(item) ? await walked(item) : item);
    return { ...element, Value: items };
  };
  const walked = async (one: DicomJson): Promise<DicomJson> => {
    const elements: Record<string, DicomJsonElement> = {};
    for (const [tag, element] of Object.entries(one))
      elements[tag] = isDataset(element) ? await inlined(tag, element as unknown as DicomJsonElement) : element;
    return elements;
  };
  return hasTableElsewhere(dataset) ? await walked(dataset) : dataset;
}

function hasTableElsewhere(dataset: DicomJson): boolean {
  return Object.entries(dataset).some(([tag, element]) => {
    if (!isDataset(element)) return false;
    if (element.BulkDataURI !== undefined) return tables.has(tag);
    const { Value: value } = element as { Value?: unknown };
    return Array.isArray(value) && value.some((item) => isDataset(item) && hasTableElsewhere(item));
  });
}

function isDataset(value: unknown): value is DicomJson {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
