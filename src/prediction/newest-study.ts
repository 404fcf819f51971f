import type { ImagingStudy } from '@medplum/fhirtypes';
import { instantRange } from '../fhir/instant-range.ts';
import { NoImage } from '../imaging/image-reading.ts';
import { chooseStudy } from '../imaging/study/choose-study.ts';
import type { ImageDefinition } from '../model-catalog/image-schema.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';

/** A study that a model with reports reads. */
export interface FoundStudy {
  /** `ImagingStudy/id` */
  readonly reference: string;
  /** When it began, as the resource gives it. */
  readonly at: string;
  readonly description?: string;
}

export interface NewestStudy {
  readonly found: FoundStudy;
  /** Those that its images are read from, each once. */
  readonly studies: readonly ImagingStudy[];
  /** When it began, in milliseconds since 1970. */
  readonly start: number;
}

/**
 * Of the studies of all images of a map the newest, which its report is about; undefined where one of them cannot be told, and the
 * model abstains. @param focus `ImagingStudy/id`, where it is that one or none
 */
export function newestStudy(
  record: Pick<ClinicalRecord, 'asOf' | 'byType'>,
  wanted: readonly ImageDefinition[],
  timeZone: string,
  focus?: string,
): NewestStudy | undefined {
  try {
    const about = focus === undefined ? {} : { focus };
    const chosen = wanted.map((definition) => {
      const { study, at } = chooseStudy(record, { wanted: definition.study, timeZone, ...about });
      const { id, description } = study;
      const start = instantRange(at, timeZone)?.start;
      if (id === undefined || start === undefined) throw new NoImage('undecodable', 'the study does not name itself');
      const found = { reference: `ImagingStudy/${id}`, at, ...(description === undefined ? {} : { description }) };
      return { found, study, start };
    });
    const [newest] = chosen.toSorted((one, other) => other.start - one.start);
    if (newest === undefined) return undefined;
    const { found, start } = newest;
    return { found, start, studies: [...new Set(chosen.map(({ study }) => study))] };
  } catch (error) {
    if (error instanceof NoImage) return undefined;
    throw error;
  }
}
