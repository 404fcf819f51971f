import { ImageFault } from '../image-fault.ts';
import type { DicomJson } from './dicom-json.ts';
import { type ElementReader, elementReader, nameOf } from './element-reader.ts';
import { type LookupTable, readLookupTable } from './lookup-table.ts';
import type { Keyword } from './tags.ts';

/** Stored value → value of the modality (PS3.3 C.11.1; DW-21). */
export type ModalityLut =
  | { readonly kind: 'rescale'; readonly slope: number; readonly intercept: number; readonly type?: string }
  | { readonly kind: 'table'; readonly table: LookupTable; readonly type?: string }
  | { readonly kind: 'none' };

/** One window as stated, in units of the modality's values; its width may be one that no function takes. */
export interface WindowOfInterest {
  readonly center: number;
  readonly width: number;
  readonly function: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
}

/** What is stated about one frame. */
export interface FrameAttributes {
  readonly modalityLut: ModalityLut;
  /** In the order stated; the first is the one to show (DW-22). */
  readonly windows: readonly WindowOfInterest[];
  readonly voiLuts: readonly LookupTable[];
  readonly presentationLutShape?: 'IDENTITY' | 'INVERSE';
  /** Between the centres of neighbouring rows, then columns, in the patient (or calibrated). */
  readonly spacingMm?: readonly [betweenRows: number, betweenColumns: number];
  /** The same at the detector of a projection radiograph, not in the patient. */
  readonly imagerSpacingMm?: readonly [betweenRows: number, betweenColumns: number];
  /** The centre of the first pixel in the coordinates of the patient, in mm. */
  readonly position?: readonly [x: number, y: number, z: number];
  /** Direction cosines of a row, then of a column. */
  readonly orientation?: readonly [number, number, number, number, number, number];
  readonly sliceThicknessMm?: number;
}

/** Where the functional groups of an object of several frames hold an attribute (PS3.3 C.7.6.16). */
const groups = {
  measures: 'PixelMeasuresSequence',
  position: 'PlanePositionSequence',
  orientation: 'PlaneOrientationSequence',
  voi: 'FrameVOILUTSequence',
  values: 'PixelValueTransformationSequence',
} as const satisfies Record<string, Keyword>;

interface FrameGroups {
  readonly perFrame: readonly DicomJson[];
  readonly shared?: DicomJson;
}

/**
 * Reads what is stated about each frame: its own functional groups first, then the shared ones, then the object (DW-24). The groups are
 * gone through once, and each frame is read once, however often it is asked for: an object may have thousands.
 * @returns of a frame by its index, from 0 and less than `frames`; throws ImageFault where the number of per-frame groups is not that of the
 *   frames, or a value is impossible
 */
export function frameAttributesOf(
  dataset: DicomJson,
  { frames, signed }: { frames: number; signed: boolean },
): (index: number) => FrameAttributes {
  const object = elementReader(dataset);
  const read = new Map<number, FrameAttributes>();
  let groupsRead: FrameGroups | undefined;
  return (index) => {
    if (!Number.isInteger(index) || index < 0 || index >= frames)
      throw new RangeError(`There is no frame ${index}; the object has ${frames}, from 0`);
    groupsRead ??= readGroups(object, frames);
    const known = read.get(index) ?? readFrame(object, index, groupsRead, signed);
    read.set(index, known);
    return known;
  };
}

function readGroups(object: ElementReader, frames: number): FrameGroups {
  const perFrame = object.items('PerFrameFunctionalGroupsSequence');
  if (perFrame.length > 0 && perFrame.length !== frames)
    throw new ImageFault(
      'image-damaged',
      `${nameOf('PerFrameFunctionalGroupsSequence')} has ${perFrame.length} items; the object has ${frames} frames`,
    );
  const [shared] = object.items('SharedFunctionalGroupsSequence');
  return { perFrame, ...(shared !== undefined && { shared }) };
}

function readFrame(
  object: ElementReader,
  index: number,
  { perFrame, shared }: FrameGroups,
  signed: boolean,
): FrameAttributes {
  const levels = [perFrame[index], shared].flatMap((level) => (level === undefined ? [] : [elementReader(level)]));
  const from = (group: Keyword): ElementReader => {
    const item = levels.map((level) => level.items(group)[0]).find((found) => found !== undefined);
    return item === undefined ? object : elementReader(item);
  };
  const measures = from(groups.measures);
  const voi = from(groups.voi);
  const shape = object.text('PresentationLUTShape');
  const thickness = positive(measures, 'SliceThickness', 1) ?? positive(object, 'SliceThickness', 1);
  const modalityLut = readModalityLut(from(groups.values), signed);
  // PS3.3 C.11.2.1.1: a VOI table maps signed values where those it gets may be negative.
  const mayBeNegative = modalityLut.kind === 'rescale' ? signed || modalityLut.intercept < 0 : signed;
  return {
    modalityLut,
    windows: readWindows(voi),
    voiLuts: readVoiLuts(voi, modalityLut.kind !== 'table' && mayBeNegative),
    ...((shape === 'IDENTITY' || shape === 'INVERSE') && { presentationLutShape: shape }),
    spacingMm: positive(measures, 'PixelSpacing', 2) as FrameAttributes['spacingMm'],
    imagerSpacingMm: positive(object, 'ImagerPixelSpacing', 2) as FrameAttributes['imagerSpacingMm'],
    position: several(from(groups.position), 'ImagePositionPatient', 3) as FrameAttributes['position'],
    orientation: several(from(groups.orientation), 'ImageOrientationPatient', 6) as FrameAttributes['orientation'],
    ...(thickness !== undefined && { sliceThicknessMm: thickness[0] }),
  };
}

function readModalityLut(reader: ElementReader, signed: boolean): ModalityLut {
  const [item] = reader.items('ModalityLUTSequence');
  const slope = reader.number('RescaleSlope');
  const intercept = reader.number('RescaleIntercept');
  const type = reader.text('RescaleType');
  if (item !== undefined) {
    if (slope !== undefined || intercept !== undefined)
      throw new ImageFault('image-damaged', 'The object states both a modality LUT and a rescale slope or intercept');
    const inner = elementReader(item);
    const table = readLookupTable(inner, { descriptor: 'LUTDescriptor', data: 'LUTData', signed });
    const lutType = inner.text('ModalityLUTType');
    return { kind: 'table', table, ...(lutType !== undefined && { type: lutType }) };
  }
  if (slope === undefined && intercept === undefined) return { kind: 'none' };
  if (slope === undefined || intercept === undefined || slope === 0)
    throw new ImageFault(
      'image-damaged',
      `${nameOf('RescaleSlope')} and ${nameOf('RescaleIntercept')} must both be stated, and the slope not be 0`,
    );
  return { kind: 'rescale', slope, intercept, ...(type !== undefined && { type }) };
}

function readWindows(reader: ElementReader): WindowOfInterest[] {
  const centers = reader.numbers('WindowCenter');
  const widths = reader.numbers('WindowWidth');
  const stated = reader.text('VOILUTFunction');
  if (centers.length !== widths.length)
    throw new ImageFault(
      'image-damaged',
      `${nameOf('WindowCenter')} has ${centers.length} values and ${nameOf('WindowWidth')} has ${widths.length}`,
    );
  // PS3.3 C.11.2.1.3: what states no function is LINEAR.
  const name = stated ?? 'LINEAR';
  if (name !== 'LINEAR' && name !== 'LINEAR_EXACT' && name !== 'SIGMOID')
    throw new ImageFault('image-damaged', `${nameOf('VOILUTFunction')} is none of LINEAR, LINEAR_EXACT, SIGMOID`);
  return centers.map((center, index) => ({ center, width: widths[index] as number, function: name }));
}

function readVoiLuts(reader: ElementReader, signed: boolean): LookupTable[] {
  return reader
    .items('VOILUTSequence')
    .map((item) => readLookupTable(elementReader(item), { descriptor: 'LUTDescriptor', data: 'LUTData', signed }));
}

function several(reader: ElementReader, keyword: Keyword, count: number): readonly number[] | undefined {
  const values = reader.numbers(keyword);
  if (values.length === 0) return undefined;
  if (values.length !== count)
    throw new ImageFault('image-damaged', `${nameOf(keyword)} has ${values.length} values; it must have ${count}`);
  return values;
}

function positive(reader: ElementReader, keyword: Keyword, count: number): readonly number[] | undefined {
  const values = several(reader, keyword, count);
  if (values?.some((value) => value <= 0))
    throw new ImageFault('image-damaged', `${nameOf(keyword)} must be greater than 0`);
  return values;
}
