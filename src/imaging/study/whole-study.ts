import type { ImagingStudy } from '@medplum/fhirtypes';
import { instantRange } from '../../fhir/instant-range.ts';
import { NoImage, NotYetQuiet } from '../image-reading.ts';
import { isResultSeries } from '../objects/result-series.ts';

type ImagingStudySeries = NonNullable<ImagingStudy['series']>[number];

/** What an image server has of one series. */
export interface SeriesTally {
  readonly objects: number;
  /** True where one of them is of a modality that is asked for, has pixels, and is none of the additions. */
  readonly mayCount: boolean;
  /** How many of them were made here of results and sent there. */
  readonly results?: number;
  /** How many of them people and machines add to a study that was made, and are never read; the results are among them. */
  readonly additions?: number;
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
 * of it could count: results are stored in the study that they are about, and whoever counts it may count them all, or none; the same of
 * what others add. What was made here is not waited for, whatever the ImagingStudy says of it.
 * Throws NoImage `study-incomplete`, as NotYetQuiet where nothing but the quiet period is not over.
 */
export function checkWhole(study: ImagingStudy, bySeries: ReadonlyMap<string, SeriesTally>, quiet: Quiet): void {
  const there = sumOf([...bySeries.values()]);
  if (there.objects === there.results) throw incomplete('the image server has no object of the study');
  const { series = [], numberOfInstances, numberOfSeries } = study;
  let counted = 0;
  let countedResults = 0;
  for (const one of series) {
    const stated = countOf(one);
    counted += stated ?? 0;
    if (isOfResults(one, bySeries)) {
      countedResults += stated ?? 0;
      continue;
    }
    const objects = bySeries.get(one.uid)?.objects ?? 0;
    if (stated === undefined ? objects === 0 : stated !== objects)
      throw incomplete(
        `a series has ${objects} objects at the image server, and ${stated ?? 'some'} in the ImagingStudy`,
      );
  }
  const listed = new Set(series.map(({ uid }) => uid));
  const unlisted = [...bySeries].filter(([uid, { mayCount }]) => !listed.has(uid) && mayCount).length;
  if (series.length > 0 && unlisted > 0)
    throw incomplete(`the image server has ${unlisted} series of images that the ImagingStudy does not list`);
  const seriesThere = [bySeries.size, bySeries.size - there.ofResults, bySeries.size - there.ofAdditions];
  if (series.length === 0 && numberOfSeries !== undefined && !seriesThere.includes(numberOfSeries))
    throw incomplete(`${bySeries.size} series are at the image server, and ${numberOfSeries} in the ImagingStudy`);
  const isCounted = series.length > 0 && series.every((one) => countOf(one) !== undefined);
  const sizes = isCounted
    ? [counted, counted - countedResults, counted - countedResults + there.results]
    : [there.objects, there.objects - there.results, there.objects - there.additions];
  if (numberOfInstances !== undefined && !sizes.includes(numberOfInstances))
    throw incomplete(
      `${sizes[0]} objects are ${isCounted ? 'in its series' : 'at the image server'}, and ${numberOfInstances} in the ImagingStudy`,
    );
  checkQuiet(study, quiet);
}

/** Objects of all series, and how many series hold nothing but results, or additions. */
function sumOf(tallies: readonly SeriesTally[]) {
  const sum = { objects: 0, results: 0, additions: 0, ofResults: 0, ofAdditions: 0 };
  for (const { objects, results = 0, additions = results } of tallies) {
    sum.objects += objects;
    sum.results += results;
    sum.additions += additions;
    if (results === objects) sum.ofResults += 1;
    if (additions === objects) sum.ofAdditions += 1;
  }
  return sum;
}

function isOfResults({ uid, description }: ImagingStudySeries, bySeries: ReadonlyMap<string, SeriesTally>): boolean {
  const there = bySeries.get(uid);
  return there === undefined ? isResultSeries(description) : there.results === there.objects;
}

function checkQuiet(study: ImagingStudy, { now, quietPeriodMs }: Quiet): void {
  if (quietPeriodMs === 0) return;
  const { meta } = study;
  const changed = meta?.lastUpdated === undefined ? undefined : instantRange(meta.lastUpdated, 'utc');
  if (changed === undefined)
    throw incomplete('the ImagingStudy has no meta.lastUpdated, so nothing says that no more images come');
  const quietMs = now.getTime() - changed.start;
  if (quietMs >= quietPeriodMs) return;
  const words = `it changed ${Math.max(0, Math.round(quietMs / 1000))} s ago, and counts as whole after ${quietPeriodMs / 1000} s; ask again then`;
  // Where nothing counts its images, some may be missing all the same.
  throw statesCounts(study) ? new NotYetQuiet(`the study is not whole: ${words}`) : incomplete(words);
}

function countOf({ numberOfInstances, instance }: ImagingStudySeries): number | undefined {
  return numberOfInstances ?? (instance?.length === 0 ? undefined : instance?.length);
}

function incomplete(what: string): NoImage {
  return new NoImage('study-incomplete', `the study is not whole: ${what}`);
}
