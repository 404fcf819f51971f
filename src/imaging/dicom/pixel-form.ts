import { ImageFault } from '../image-fault.ts';
import type { DicomJson } from './dicom-json.ts';
import { type ElementReader, elementReader, nameOf } from './element-reader.ts';
import { type LookupTable, readLookupTable } from './lookup-table.ts';
import type { Keyword } from './tags.ts';

/** What the photometric interpretations that are read have as samples of a pixel (PS3.3 C.7.6.3.1.2). */
const samplesOf: Readonly<Record<string, 1 | 3>> = {
  MONOCHROME1: 1,
  MONOCHROME2: 1,
  'PALETTE COLOR': 1,
  RGB: 3,
  YBR_FULL: 3,
  YBR_FULL_422: 3,
  YBR_RCT: 3,
  YBR_ICT: 3,
};

/** How the pixels of an object are stored (PS3.3 C.7.6.3; DW-20). */
export interface PixelForm {
  /** 1 to 65,535. */
  readonly rows: number;
  /** 1 to 65,535. */
  readonly columns: number;
  readonly samplesPerPixel: 1 | 3;
  /** 1, 8, 16, 24 or 32. */
  readonly bitsAllocated: number;
  /** At most `bitsAllocated`. */
  readonly bitsStored: number;
  /** The bit of the cell that holds the most significant bit of the value; `bitsStored` - 1 unless the object is old. */
  readonly highBit: number;
  readonly signed: boolean;
  /** 0: samples of a pixel lie together; 1: plane after plane. Of one sample, 0. */
  readonly planarConfiguration: 0 | 1;
  /** As the dataset states it, for the encoded pixels. */
  readonly photometricInterpretation: string;
  /** From 1. */
  readonly frames: number;
  /** Of PALETTE COLOR. */
  readonly palette?: { readonly red: LookupTable; readonly green: LookupTable; readonly blue: LookupTable };
  /** Stored values that stand for no measurement, both ends within. */
  readonly paddingValue?: { readonly from: number; readonly to: number };
  /** True where the dataset says that the pixels were ever compressed with loss. */
  readonly lossy: boolean;
}

/**
 * How the pixels of an object are stored; undefined where it has none.
 * @throws ImageFault where it has pixels that cannot be read as stated
 */
export function readPixelForm(dataset: DicomJson): PixelForm | undefined {
  const reader = elementReader(dataset);
  if (reader.has('FloatPixelData') || reader.has('DoubleFloatPixelData'))
    throw new ImageFault(
      'image-unsupported',
      'The pixels are floating-point numbers; integers of 1 to 32 bits are read',
    );
  const described: readonly Keyword[] = ['PixelData', 'Rows', 'Columns', 'BitsAllocated'];
  if (!described.some((keyword) => reader.has(keyword))) return undefined;
  const signed = integer(reader, 'PixelRepresentation', [0, 1]) === 1;
  const { photometricInterpretation, samplesPerPixel } = readSamples(reader);
  const padding = readPadding(reader, signed);
  return {
    rows: integer(reader, 'Rows', [1, 65_535]),
    columns: integer(reader, 'Columns', [1, 65_535]),
    samplesPerPixel,
    ...readBits(reader),
    signed,
    planarConfiguration: samplesPerPixel === 1 || integer(reader, 'PlanarConfiguration', [0, 1]) === 0 ? 0 : 1,
    photometricInterpretation,
    // PS3.3 C.7.6.6: only objects of several frames state their number.
    frames: reader.has('NumberOfFrames') ? integer(reader, 'NumberOfFrames', [1, 2 ** 31 - 1]) : 1,
    ...(photometricInterpretation === 'PALETTE COLOR' && { palette: readPalette(reader, signed) }),
    ...(padding !== undefined && { paddingValue: padding }),
    lossy: reader.text('LossyImageCompression') === '01',
  };
}

function integer(reader: ElementReader, keyword: Keyword, [least, most]: readonly [number, number]): number {
  const value = reader.number(keyword);
  if (value === undefined)
    throw new ImageFault('image-damaged', `The object has pixels, but ${nameOf(keyword)} is missing`);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new ImageFault(
      'image-damaged',
      `${nameOf(keyword)} is ${value}; it must be a whole number ${least} to ${most}`,
    );
  return value;
}

function readSamples(reader: ElementReader): Pick<PixelForm, 'photometricInterpretation' | 'samplesPerPixel'> {
  const photometricInterpretation = reader.text('PhotometricInterpretation');
  const stated = integer(reader, 'SamplesPerPixel', [1, 65_535]);
  if (photometricInterpretation === undefined)
    throw new ImageFault(
      'image-damaged',
      `The object has pixels, but ${nameOf('PhotometricInterpretation')} is missing`,
    );
  const samplesPerPixel = Object.hasOwn(samplesOf, photometricInterpretation)
    ? samplesOf[photometricInterpretation]
    : undefined;
  if (samplesPerPixel === undefined)
    throw new ImageFault(
      'image-unsupported',
      `${nameOf('PhotometricInterpretation')} is none of ${Object.keys(samplesOf).join(', ')}`,
    );
  if (stated !== samplesPerPixel)
    throw new ImageFault(
      'image-damaged',
      `${nameOf('SamplesPerPixel')} is ${stated}; ${photometricInterpretation} has ${samplesPerPixel}`,
    );
  return { photometricInterpretation, samplesPerPixel };
}

function readBits(reader: ElementReader): Pick<PixelForm, 'bitsAllocated' | 'bitsStored' | 'highBit'> {
  const bitsAllocated = integer(reader, 'BitsAllocated', [1, 64]);
  if (![1, 8, 16, 24, 32].includes(bitsAllocated))
    throw new ImageFault(
      'image-unsupported',
      `${nameOf('BitsAllocated')} is ${bitsAllocated}; read are 1, 8, 16, 24, 32`,
    );
  const bitsStored = integer(reader, 'BitsStored', [1, bitsAllocated]);
  const highBit = integer(reader, 'HighBit', [bitsStored - 1, bitsAllocated - 1]);
  return { bitsAllocated, bitsStored, highBit };
}

/** The range of padding (PS3.3 C.7.5.1.1.2), whose ends may be written with the other sign. */
function readPadding(reader: ElementReader, signed: boolean): PixelForm['paddingValue'] {
  const ends = [reader.number('PixelPaddingValue'), reader.number('PixelPaddingRangeLimit')].flatMap((value) =>
    value === undefined ? [] : [signed ? (value << 16) >> 16 : value & 0xffff],
  );
  return ends.length === 0 || !reader.has('PixelPaddingValue')
    ? undefined
    : { from: Math.min(...ends), to: Math.max(...ends) };
}

function readPalette(reader: ElementReader, signed: boolean): NonNullable<PixelForm['palette']> {
  if (reader.has('SegmentedRedPaletteColorLookupTableData'))
    throw new ImageFault('image-unsupported', 'The palette is segmented; only whole tables are read');
  const table = (colour: 'Red' | 'Green' | 'Blue'): LookupTable =>
    readLookupTable(reader, {
      descriptor: `${colour}PaletteColorLookupTableDescriptor`,
      data: `${colour}PaletteColorLookupTableData`,
      signed,
    });
  return { red: table('Red'), green: table('Green'), blue: table('Blue') };
}
