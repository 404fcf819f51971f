import type { Extension } from '@medplum/fhirtypes';
import type { FeatureImage } from '../features/feature-vector.ts';
import { type ReadObject, readObjects } from '../imaging/objects/image-references.ts';

/** A result that names more objects than this would be larger than what it says. */
export const mostNamedObjects = 2_000;

/**
 * Which objects of DICOM an image was made of, as the part `image` of `prediction-input`: study, series, SOP classes and instances by
 * their UIDs, and of an object of several frames which. Of more than 2,000 objects only how many there are. And under whom they were
 * filed when they were read, as `ownerMark`: no part of the identity of a result, which is of the same pixels either way.
 */
export function imagePart({ study, images }: Pick<FeatureImage, 'study' | 'images'>): Extension {
  const objects = readObjects(images);
  const named =
    objects.length > mostNamedObjects ? [{ url: 'unnamed', valuePositiveInt: objects.length }] : alike(objects);
  const owners = study.owners.map((mark) => ({ url: 'owner', valueId: mark }));
  return { url: 'image', extension: [{ url: 'study', valueId: study.studyInstanceUid }, ...owners, ...named] };
}

/** Objects of one series and class, and with the same frames, stand together: a volume has hundreds. */
function alike(objects: readonly ReadObject[]): Extension[] {
  const groups = Map.groupBy(objects, ({ seriesInstanceUid, sopClassUid, frames }) =>
    [seriesInstanceUid, sopClassUid, framesText(frames)].join(' '),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const frames = framesText(first.frames);
    return {
      url: 'objects',
      extension: [
        { url: 'series', valueId: first.seriesInstanceUid },
        { url: 'sopClass', valueId: first.sopClassUid },
        ...group.map(({ sopInstanceUid }) => ({ url: 'instance', valueId: sopInstanceUid })),
        ...(frames === '' ? [] : [{ url: 'frames', valueString: frames }]),
      ],
    };
  });
}

/** `1-3,7`; empty for an object of one frame. @param frames ascending */
function framesText(frames: readonly number[] = []): string {
  const runs: { from: number; to: number }[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last !== undefined && frame === last.to + 1) last.to = frame;
    else runs.push({ from: frame, to: frame });
  }
  return runs.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
