import type { DiagnosticReport, Extension } from '@medplum/fhirtypes';
import type { ReadObject } from '../imaging/objects/image-references.ts';
import { extensionUrls } from './canonical-urls.ts';

/** What a stored result says of the objects that its images were made of. */
export interface NamedObjects {
  readonly studyInstanceUid: string;
  readonly objects: readonly ReadObject[];
  /** Under whom they were filed when they were read, see `ownerMark`; empty where one image does not say it. */
  readonly owners: readonly string[];
}

/**
 * The objects of one study that a report says its images were made of, each once; see `imagePart`. Undefined where it names none, or
 * not all of them, or they are of several studies: what was made of them cannot be told then.
 */
export function readImageParts({ extension = [] }: DiagnosticReport): NamedObjects | undefined {
  const images = extension.filter(({ url }) => url === extensionUrls.input).flatMap((input) => partsOf(input, 'image'));
  const studies = new Set(images.flatMap((image) => idsOf(image, 'study')));
  const [studyInstanceUid, ...others] = studies;
  if (studyInstanceUid === undefined || others.length > 0) return undefined;
  if (images.some((image) => partsOf(image, 'unnamed').length > 0)) return undefined;
  const objects = new Map<string, ReadObject>();
  for (const group of images.flatMap((image) => partsOf(image, 'objects'))) {
    const [seriesInstanceUid] = idsOf(group, 'series');
    const [sopClassUid] = idsOf(group, 'sopClass');
    if (seriesInstanceUid === undefined || sopClassUid === undefined) return undefined;
    const [text] = partsOf(group, 'frames').map(({ valueString = '' }) => valueString);
    for (const sopInstanceUid of idsOf(group, 'instance')) {
      const known = objects.get(sopInstanceUid)?.frames ?? [];
      const frames = [...new Set([...known, ...framesOf(text)])].sort((one, other) => one - other);
      const object = { seriesInstanceUid, sopInstanceUid, sopClassUid };
      objects.set(sopInstanceUid, frames.length === 0 ? object : { ...object, frames });
    }
  }
  return objects.size === 0
    ? undefined
    : { studyInstanceUid, objects: [...objects.values()], owners: ownersOf(images) };
}

function ownersOf(images: readonly Extension[]): string[] {
  const each = images.map((image) => idsOf(image, 'owner'));
  return each.some(({ length }) => length === 0) ? [] : [...new Set(each.flat())];
}

function partsOf({ extension = [] }: Extension, url: string): Extension[] {
  return extension.filter((part) => part.url === url);
}

function idsOf(extension: Extension, url: string): string[] {
  return partsOf(extension, url).flatMap(({ valueId }) => valueId ?? []);
}

/** Every number of `1-3,7`. */
function framesOf(text = ''): number[] {
  if (text === '') return [];
  return text.split(',').flatMap((run) => {
    const [from = 0, to = from] = run.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
