import type { DiagnosticReport, Media, Reference } from '@medplum/fhirtypes';
import type { ReportToKeep } from '../imaging/objects/keep-objects.ts';
import { PredictionError } from '../platform/errors.ts';
import { modelNamingSystem, predictionNamingSystem, reportNamingSystem } from './canonical-urls.ts';
import { type NamedObjects, readImageParts } from './read-image-parts.ts';
import { reportContent } from './report-content.ts';

/**
 * What the objects of DICOM say of a version of a stored report, all of it taken from the report itself.
 * Throws RESULT_INVALID for a report that does not name what it is of, such as one that was made before its images were named, or of
 * more objects than are named: nobody could tell what a document is about. So does one that does not say whose images were read.
 * @param version of the report, from 1
 */
export function reportToKeep(report: DiagnosticReport, version: number): ReportToKeep {
  const images = keptUnder(report);
  if (images.owners.length === 0)
    throw unkept(
      'it does not say under whom its images were filed; delete it, and let the model read the study once more',
    );
  const [identifier] = valuesOf(report, predictionNamingSystem);
  const media = (report.contained ?? []).filter((part): part is Media => part.resourceType === 'Media');
  // A review is issued when it was made; its pictures are as old as the prediction.
  const { issued } = report;
  if (identifier === undefined || issued === undefined) throw unkept('it does not name itself');
  const model = modelOf(report);
  return {
    identifier,
    version,
    ...images,
    model,
    computedAt: new Date(media[0]?.createdDateTime ?? issued),
    issuedAt: new Date(issued),
    content: reportContent(report, model.id),
    pictures: media.map(({ content }, index) => {
      if (content.data === undefined || content.contentType !== 'image/png') throw unkept('a picture of it is no PNG');
      return { title: content.title ?? '', number: index + 1, png: content.data };
    }),
  };
}

/** Where the objects of any version of a report are: the study and images that it is of, and its own identifier. Throws as `reportToKeep`. */
export function keptUnder(report: DiagnosticReport): NamedObjects & Pick<ReportToKeep, 'report'> {
  const images = readImageParts(report);
  if (images === undefined)
    throw unkept('it does not name the images that it is of; let the model read the study once more');
  const [name] = valuesOf(report, reportNamingSystem);
  if (name === undefined) throw unkept('it does not name itself');
  return { ...images, report: name };
}

/** By identifiers that are not old ones. */
function valuesOf({ identifier = [] }: DiagnosticReport, wanted: string): string[] {
  return identifier.flatMap(({ system, use, value }) =>
    system === wanted && use !== 'old' && value !== undefined ? [value] : [],
  );
}

function modelOf({ contained = [] }: DiagnosticReport): ReportToKeep['model'] {
  for (const part of contained) {
    const device: Reference | undefined =
      part.resourceType === 'Observation' || part.resourceType === 'Media'
        ? part.device
        : part.resourceType === 'RiskAssessment'
          ? part.performer
          : undefined;
    const { system, value = '' } = device?.identifier ?? {};
    const [id, version, digest] = value.split('|');
    if (system !== modelNamingSystem || id === undefined || version === undefined || digest === undefined) continue;
    const { display = id } = device ?? {};
    return {
      id,
      version,
      digest,
      title: display.endsWith(` ${version}`) ? display.slice(0, -version.length - 1) : display,
    };
  }
  throw unkept('it does not name its model');
}

function unkept(why: string): PredictionError {
  return new PredictionError('RESULT_INVALID', `No object of DICOM is made of the report: ${why}.`);
}
