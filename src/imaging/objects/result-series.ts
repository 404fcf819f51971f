/** By this the series of results are told from those of the scanner, by people and by the selection of images. */
export const resultSeriesDescription = 'AI result, not read by a radiologist';

/** Who made them, as every object that is made here says (PS3.3 C.7.5.1). */
export const resultManufacturer = 'fhirsight';

/** What is stated of an object, as far as it tells whether it was made here. */
export interface StatedMaker {
  readonly seriesDescription?: string | undefined;
  readonly manufacturer?: string | undefined;
}

/** Whether an object was made here of a result: by its maker or its series, for an archive may have rewritten either. */
export function isResultObject({ seriesDescription, manufacturer }: StatedMaker): boolean {
  return manufacturer?.trim() === resultManufacturer || isResultSeries(seriesDescription);
}

/** Whether a Series Description, as a data set or an ImagingStudy has it, is that of the objects that are made here of results. */
export function isResultSeries(description: string | undefined): boolean {
  return description?.trim() === resultSeriesDescription;
}
