import type { ImagingStudy } from '@medplum/fhirtypes';
import { instantRange } from '../../fhir/instant-range.ts';
import { NoImage } from '../image-reading.ts';

/** What an image server has of one series. */
export interface SeriesTally {
  readonly objects: number;
  /** True where one of them is of a modality that is asked for, and has pixels. */
  readonly mayCount: boolean;
  /** True for what was made here of results and sent there. */
  readonly isResult?: boolean;
}

export interface Quiet {
  readonly now: Date;
  /** How long nothing may have changed. */
  readonly quietPeriodMs: number;
}

/** Whether a study says how many objects it, or each of its series, has. */
export function statesCounts({ numberOfInstances, series = [] }: ImagingStudy): boolean {
  return numberOfInstances !== undefined || (series.length > 0 && series.every((one) => countOf(one) !== undefined));
}

/**
 * Checks that all objects of a study have arrived: as many at the image server as the ImagingStudy counts, series by series where it
 * counts them, and nothing changed for the quiet period. A series that it does not list is still to come, unless no image
 * of it could count: results are stored in the study that they are about, and whoever counts it may count them or not.
 * Throws NoImage `study-incomplete`.
 */
export function checkWhole(study: ImagingStudy, bySeries: ReadonlyMap<string, SeriesTally>, quiet: Quiet): void {
  const tallies = [...bySeries.values()];
  const atServer = tallies.reduce((sum, { objects }) => sum + objects, 0);
  const results = tallies.filter(({ isResult }) => isResult);
  const resultObjects = results.reduce((sum, { objects }) => sum + objects, 0);
  if (atServer === resultObjects) throw incomplete('the image server has no object of the study');
  const { series = [], numberOfInstances, numberOfSeries } = study;
  let counted = 0;
  for (const one of series) {
    const stated = countOf(one);
    const there = bySeries.get(one.uid)?.objects ?? 0;
    counted += stated ?? 0;
    if (stated === undefined ? there === 0 : stated !== there)
      throw incomplete(
        `a series has ${there} objects at the image server, and ${stated ?? 'some'} in the ImagingStudy`,
      );
  }
  const listed = new Set(series.map(({ uid }) => uid));
  const unlisted = [...bySeries].filter(([uid, { mayCount }]) => !listed.has(uid) && mayCount).length;
  if (series.length > 0 && unlisted > 0)
    throw incomplete(`the image server has ${unlisted} series of images that the ImagingStudy does not list`);
  const isSize = (stated: number, all: number, ofResults: number) => stated === all || stated === all - ofResults;
  if (series.length === 0 && numberOfSeries !== undefined && !isSize(numberOfSeries, bySeries.size, results.length))
    throw incomplete(`${bySeries.size} series are at the image server, and ${numberOfSeries} in the ImagingStudy`);
  const isCounted = series.length > 0 && series.every((one) => countOf(one) !== undefined);
  const there = isCounted ? counted : atServer;
  if (numberOfInstances !== undefined && !isSize(numberOfInstances, there, isCounted ? 0 : resultObjects))
    throw incomplete(
      `${there} objects are ${isCounted ? 'in its series' : 'at the image server'}, and ${numberOfInstances} in the ImagingStudy`,
    );
  checkQuiet(study, quiet);
}

function checkQuiet({ meta }: ImagingStudy, { now, quietPeriodMs }: Quiet): void {
  if (quietPeriodMs === 0) return;
  const changed = meta?.lastUpdated === undefined ? undefined : instantRange(meta.lastUpdated, 'utc');
  if (changed === undefined)
    throw incomplete('the ImagingStudy has no meta.lastUpdated, so nothing says that no more images come');
  const quietMs = now.getTime() - changed.start;
  if (quietMs < quietPeriodMs)
    throw incomplete(
      `it changed ${Math.max(0, Math.round(quietMs / 1000))} s ago, and counts as whole after ${quietPeriodMs / 1000} s; ask again then`,
    );
}

function countOf({ numberOfInstances, instance }: NonNullable<ImagingStudy['series']>[number]): number | undefined {
  return numberOfInstances ?? (instance?.length === 0 ? undefined : instance?.length);
}

function incomplete(what: string): NoImage {
  return new NoImage('study-incomplete', `the study is not whole: ${what}`);
}
