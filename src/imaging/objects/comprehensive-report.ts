import { type Coding, dcm, schemesOf } from './coded-entry.ts';
import { type ContentItem, codeItem, containerItem, imageItem, textItem, uidItem } from './content-item.ts';
import { evidence, imageReference } from './image-references.ts';
import { objectFrame } from './object-frame.ts';
import { documentOf, roleSeriesUid } from './object-names.ts';
import { type ReportedOutcome, reportedOutcome } from './reported-outcome.ts';
import type { ResultOrigin } from './result-origin.ts';
import { resultUid } from './result-uid.ts';
import { writePart10 } from './write-part10.ts';
import { writtenDataset } from './written-dataset.ts';

/** PS3.4 B.5: Comprehensive 3D SR Storage, which IHE AIR asks for (AIR-1). */
const comprehensive3dSr = '1.2.840.10008.5.1.4.1.1.88.34';
const seriesNumber = 9_002;

const code = (value: string, display: string): Coding => ({ system: dcm, code: value, display });
const language: Coding = { system: 'urn:ietf:bcp:47', code: 'en', display: 'English' };

export interface ReportContent {
  /** What the report is of, as the DiagnosticReport has it. */
  readonly procedure: Coding;
  readonly outcomes: readonly ReportedOutcome[];
  /** What the report says in words, its first line included. */
  readonly conclusion: string;
  /** True where a person has confirmed it. */
  readonly isFinal: boolean;
}

/**
 * What a model says of a study as a DICOM structured report by TID 1500, as a file: an observer that is a device, the images that it
 * read, and a measurement group for each outcome with the algorithm that made it (TID 4019; AIR-1 to AIR-3). It is preliminary unless a
 * person has confirmed the report, and unverified: nobody has signed the document. Throws a RangeError without an outcome or an image:
 * such a document says nothing.
 * @param predecessor SOP Instance UID of the document in the same series that it takes the place of
 */
export function comprehensiveReport(
  origin: ResultOrigin,
  { procedure, outcomes, conclusion, isFinal }: ReportContent,
  predecessor?: string,
): Uint8Array {
  const { objects } = origin;
  if (outcomes.length === 0 || objects.length === 0) throw new RangeError('A report has an outcome and an image');
  const frame = objectFrame(origin, {
    sopClassUid: comprehensive3dSr,
    modality: 'SR',
    role: 'structured-report',
    sopInstanceUid: documentOf(origin.identifier, origin.version).sopInstanceUid,
    instanceNumber: origin.version,
    seriesNumber,
    madeAt: origin.issuedAt,
  });
  const [study] = frame['0020000D']?.Value ?? [];
  const root = containerItem({
    name: code('126000', 'Imaging Measurement Report'),
    children: [
      codeItem(
        { relationship: 'HAS CONCEPT MOD', name: code('121049', 'Language of Content Item and Descendants') },
        language,
      ),
      ...observer(origin),
      codeItem({ relationship: 'HAS CONCEPT MOD', name: code('121058', 'Procedure reported') }, procedure),
      textItem({ relationship: 'CONTAINS', name: code('121106', 'Comment') }, conclusion),
      containerItem({
        relationship: 'CONTAINS',
        name: code('111028', 'Image Library'),
        children: [
          containerItem({
            relationship: 'CONTAINS',
            name: code('126200', 'Image Library Group'),
            children: objects.map((object) => imageItem('CONTAINS', imageReference(object))),
          }),
        ],
      }),
      containerItem({
        relationship: 'CONTAINS',
        name: code('126010', 'Imaging Measurements'),
        children: outcomes.map((outcome) => reportedOutcome(origin, outcome, objects)),
      }),
    ],
  });
  const schemes = schemesOf(root.codings);
  return writePart10({
    ...frame,
    ...root.dataset,
    ...writtenDataset({
      ...(schemes.length === 0 ? {} : { CodingSchemeIdentificationSequence: schemes }),
      ...(predecessor === undefined
        ? {}
        : {
            PredecessorDocumentsSequence: evidence(String(study), [
              {
                seriesInstanceUid: roleSeriesUid(origin.report, String(study), 'structured-report'),
                sopInstanceUid: predecessor,
                sopClassUid: comprehensive3dSr,
              },
            ]),
          }),
      ReferencedPerformedProcedureStepSequence: [],
      PerformedProcedureCodeSequence: [],
      CurrentRequestedProcedureEvidenceSequence: evidence(String(study), objects),
      CompletionFlag: 'COMPLETE',
      VerificationFlag: 'UNVERIFIED',
      PreliminaryFlag: isFinal ? 'FINAL' : 'PRELIMINARY',
      ContentTemplateSequence: writtenDataset({ MappingResource: 'DCMR', TemplateIdentifier: '1500' }),
    }),
  });
}

/** TID 1002 and 1004: a device has observed, and no person. */
function observer({ model, software }: ResultOrigin): ContentItem[] {
  const relationship = 'HAS OBS CONTEXT';
  return [
    codeItem({ relationship, name: code('121005', 'Observer Type') }, code('121007', 'Device')),
    uidItem({ relationship, name: code('121012', 'Device Observer UID') }, resultUid(model.digest, 'device')),
    textItem({ relationship, name: code('121013', 'Device Observer Name') }, `${model.title} (${model.id})`),
    textItem({ relationship, name: code('121014', 'Device Observer Manufacturer') }, 'fhirsight'),
    textItem({ relationship, name: code('121015', 'Device Observer Model Name') }, `fhirsight ${software}`),
    textItem({ relationship, name: code('121016', 'Device Observer Serial Number') }, model.digest),
  ];
}
