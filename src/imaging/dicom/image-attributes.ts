import { isDicomUid } from '../dicomweb/dicom-uid.ts';
import { ImageFault } from '../image-fault.ts';
import type { DicomJson } from './dicom-json.ts';
import { type ElementReader, elementReader, nameOf } from './element-reader.ts';
import { type FrameAttributes, frameAttributesOf } from './frame-attributes.ts';
import { patientAgeYears } from './patient-age.ts';
import { type PixelForm, readPixelForm } from './pixel-form.ts';
import { statedPatient } from './stated-patient.ts';
import type { Keyword } from './tags.ts';

/** What is known of one object (an image of one or more frames, or something without pixels). */
export interface ImageAttributes {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  /** As stored: of the file's header, or the only one in which a server says that it has it. */
  readonly transferSyntaxUid?: string;
  readonly modality?: string;
  readonly patientId?: string;
  readonly issuerOfPatientId?: string;
  readonly otherPatientIds: readonly { readonly id: string; readonly issuer?: string }[];
  readonly patientBirthDate?: string;
  readonly patientAgeYears?: number;
  readonly accessionNumber?: string;
  /** `2026-03-01`. */
  readonly studyDate?: string;
  /** `08:30:00` with as many parts as are stated; local to `timezoneOffset`, or to the device. */
  readonly studyTime?: string;
  /**
   * When its data were acquired, else when the image was made: `2026-03-01T08:30:00` to the second or finer, by the clock of the study.
   * Absent where that is not stated to the second.
   */
  readonly acquiredAt?: string;
  /** `+02:00`. */
  readonly timezoneOffset?: string;
  readonly imageType: readonly string[];
  readonly burnedInAnnotation?: 'YES' | 'NO';
  readonly viewPosition?: string;
  readonly laterality?: string;
  readonly presentationIntent?: string;
  readonly seriesDescription?: string;
  readonly manufacturer?: string;
  readonly bodyPart?: string;
  readonly sliceThicknessMm?: number;
  readonly instanceNumber?: number;
  readonly frameOfReferenceUid?: string;
  readonly numberOfStudyRelatedInstances?: number;
  readonly numberOfSeriesRelatedInstances?: number;
  /** Absent: an object without pixels. */
  readonly pixels?: PixelForm;
  /**
   * What is stated about one frame.
   * @param index from 0
   * @throws ImageFault where a value that is needed to read its pixels is impossible
   */
  frame(index: number): FrameAttributes;
}

/**
 * Reads what choosing and decoding need of a dataset.
 * @throws ImageFault `image-damaged` where an identifier is missing or malformed or the pixels are described in a way
 *   that cannot be, `image-unsupported` where they are described in a way that is not read
 */
export function readImageAttributes(dataset: DicomJson): ImageAttributes {
  const reader = elementReader(dataset);
  const pixels = readPixelForm(dataset);
  const [thickness] = reader.numbers('SliceThickness');
  return {
    studyInstanceUid: requiredUid(reader, 'StudyInstanceUID'),
    seriesInstanceUid: requiredUid(reader, 'SeriesInstanceUID'),
    sopInstanceUid: requiredUid(reader, 'SOPInstanceUID'),
    sopClassUid: requiredUid(reader, 'SOPClassUID'),
    transferSyntaxUid: uid(reader, 'TransferSyntaxUID') ?? availableSyntax(reader),
    modality: reader.text('Modality'),
    ...readPatient(reader),
    accessionNumber: reader.text('AccessionNumber'),
    studyDate: date(reader, 'StudyDate'),
    studyTime: time(reader, 'StudyTime'),
    acquiredAt: acquired(reader),
    timezoneOffset: reader.text('TimezoneOffsetFromUTC')?.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2'),
    imageType: reader.texts('ImageType'),
    burnedInAnnotation: yesOrNo(reader.text('BurnedInAnnotation')),
    viewPosition: reader.text('ViewPosition'),
    laterality: reader.text('ImageLaterality') ?? reader.text('Laterality'),
    presentationIntent: reader.text('PresentationIntentType'),
    seriesDescription: reader.text('SeriesDescription'),
    manufacturer: reader.text('Manufacturer'),
    bodyPart: reader.text('BodyPartExamined'),
    sliceThicknessMm: thickness,
    instanceNumber: reader.number('InstanceNumber'),
    frameOfReferenceUid: uid(reader, 'FrameOfReferenceUID'),
    numberOfStudyRelatedInstances: reader.number('NumberOfStudyRelatedInstances'),
    numberOfSeriesRelatedInstances: reader.number('NumberOfSeriesRelatedInstances'),
    pixels,
    frame: frameAttributesOf(dataset, { frames: pixels?.frames ?? 0, signed: pixels?.signed ?? false }),
  };
}

function readPatient(
  reader: ElementReader,
): Pick<
  ImageAttributes,
  'patientId' | 'issuerOfPatientId' | 'otherPatientIds' | 'patientBirthDate' | 'patientAgeYears'
> {
  const age = reader.text('PatientAge');
  const inSequence = reader.items('OtherPatientIDsSequence').flatMap((item) => {
    const inner = elementReader(item);
    const id = inner.text('PatientID');
    const issuer = inner.text('IssuerOfPatientID');
    return id === undefined ? [] : [{ id, ...(issuer !== undefined && { issuer }) }];
  });
  return {
    ...statedPatient(reader),
    otherPatientIds: [...inSequence, ...reader.texts('OtherPatientIDs').map((id) => ({ id }))],
    patientBirthDate: date(reader, 'PatientBirthDate'),
    patientAgeYears: age === undefined ? undefined : patientAgeYears(age),
  };
}

/** DW-4: an identifier is checked before it becomes part of an address. */
function uid(reader: ElementReader, keyword: Keyword): string | undefined {
  const text = reader.text(keyword);
  if (text !== undefined && !isDicomUid(text))
    throw new ImageFault('image-damaged', `${nameOf(keyword)} is no UID of DICOM`);
  return text;
}

/** One of several may be what a server would make of the object. */
function availableSyntax(reader: ElementReader): string | undefined {
  const several = reader.texts('AvailableTransferSyntaxUID').length > 1;
  return several ? undefined : uid(reader, 'AvailableTransferSyntaxUID');
}

function requiredUid(reader: ElementReader, keyword: Keyword): string {
  const text = uid(reader, keyword);
  if (text === undefined) throw new ImageFault('image-damaged', `${nameOf(keyword)} is missing`);
  return text;
}

/** DA (PS3.5 6.2), with the dots of old objects; what is no date is not known. */
function date(reader: ElementReader, keyword: Keyword): string | undefined {
  const [, year, month, day] = /^(\d{4})\.?(\d\d)\.?(\d\d)$/.exec(reader.text(keyword) ?? '') ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
}

/** TM (PS3.5 6.2), with the colons of old objects; what is no time is not known. */
function time(reader: ElementReader, keyword: Keyword): string | undefined {
  const [, hours, minutes, seconds] =
    /^(\d\d)(?::?(\d\d)(?::?(\d\d(?:\.\d{1,6})?))?)?$/.exec(reader.text(keyword) ?? '') ?? [];
  const parts = [hours, minutes, seconds].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(':');
}

/** AcquisitionDateTime, else the date and time of the acquisition, else those of the content (PS3.3 C.7.6.1, C.7.6.16). */
function acquired(reader: ElementReader): string | undefined {
  const [, year, month, day, hours, minutes, seconds] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d(?:\.\d{1,6})?)$/.exec(reader.text('AcquisitionDateTime') ?? '') ?? [];
  if (year !== undefined) return `${year}-${month}-${day}T${hours}:${minutes}:${seconds}`;
  const both = (dateOf: Keyword, timeOf: Keyword): string | undefined => {
    const [on, at] = [date(reader, dateOf), time(reader, timeOf)];
    return on === undefined || at === undefined || at.length < '08:30:00'.length ? undefined : `${on}T${at}`;
  };
  return both('AcquisitionDate', 'AcquisitionTime') ?? both('ContentDate', 'ContentTime');
}

function yesOrNo(text: string | undefined): 'YES' | 'NO' | undefined {
  return text === 'YES' || text === 'NO' ? text : undefined;
}
