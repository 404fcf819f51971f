/** By this the series of results are told from those of the scanner, by people and by the selection of images. */
export const resultSeriesDescription = 'AI result, not read by a radiologist';

/** Whether a Series Description, as a data set has it, is that of the objects that are made here of results. */
export function isResultSeries(description: string | undefined): boolean {
  return description?.trim() === resultSeriesDescription;
}
