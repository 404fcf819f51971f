import type { ImagingStudy } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { NoImage } from '../../../src/imaging/image-reading.ts';
import { chooseStudy, type StudyQuestion } from '../../../src/imaging/study/choose-study.ts';
import { imagingSeries, imagingStudy } from '../../support/build-imaging-study.ts';
import { recordOf } from '../../support/build-record.ts';

const asOf = '2026-01-03T12:00:00Z';
const wanted = { modality: ['CR', 'DX'], window: 'P2D' };

function choose(studies: readonly ImagingStudy[], rest: Partial<StudyQuestion> = {}) {
  return chooseStudy(recordOf(studies, asOf), { wanted, timeZone: 'UTC', ...rest });
}

function reason(studies: readonly ImagingStudy[], rest: Partial<StudyQuestion> = {}): string {
  try {
    return `chose ${choose(studies, rest).study.id}`;
  } catch (error) {
    if (error instanceof NoImage) return error.because;
    throw error;
  }
}

const older = imagingStudy({ id: 'older', started: '2026-01-02T08:00:00Z' });
const newer = imagingStudy({ id: 'newer', started: '2026-01-03T08:00:00Z' });
const ofModality = (...codes: string[]) =>
  codes.map((code) => imagingSeries({ uid: `1.${code.length}`, modality: { code } }));

describe('the study that is read', () => {
  it('is the newest that began in the window and not after as-of', () => {
    const tooOld = imagingStudy({ id: 'too-old', started: '2026-01-01T11:59:59Z' });
    const future = imagingStudy({ id: 'future', started: '2026-01-03T12:00:01Z' });
    expect(choose([tooOld, older, newer, future]).study.id).toBe('newer');
    expect(reason([tooOld, future])).toBe('not-found');
  });

  it('is the one that the prediction is about, whatever came later', () => {
    expect(choose([older, newer], { focus: 'ImagingStudy/older' })).toMatchObject({
      study: { id: 'older' },
      at: '2026-01-02T08:00:00Z',
    });
    expect(reason([older], { focus: 'ImagingStudy/unknown' })).toBe('not-found');
    expect(choose([older], { focus: 'ServiceRequest/17' }).study.id).toBe('older');
  });

  it('DW-26: is none of another modality, also where the prediction is about it', () => {
    const ct = imagingStudy({ id: 'ct', started: '2026-01-03T09:00:00Z', series: ofModality('CT', 'SR') });
    expect(choose([older, ct]).study.id).toBe('older');
    expect(reason([older, ct], { focus: 'ImagingStudy/ct' })).toBe('no-matching-image');
  });

  it('has the modality in the study or in one of its series', () => {
    const inStudy = imagingStudy({ series: undefined, modality: [{ code: 'DX' }] });
    const inSeries = imagingStudy({ series: ofModality('SR', 'CR') });
    expect(reason([inStudy])).toBe('chose s1');
    expect(reason([inSeries])).toBe('chose s1');
  });

  it('DW-5: may say nothing of its series: then its images do', () => {
    expect(reason([imagingStudy({ series: undefined })])).toBe('chose s1');
  });

  it.each([
    ['registered', 'study-incomplete'],
    ['unknown', 'study-incomplete'],
    ['cancelled', 'chose older'],
    ['entered-in-error', 'chose older'],
  ] as const)('DW-1: where the newest is %s: %s', (status, expected) => {
    expect(reason([older, { ...newer, status }])).toBe(expected);
  });

  it('is none where a study that may be newer does not say when it began', () => {
    const undated = (lastUpdated: string) => imagingStudy({ id: 'undated', started: undefined, meta: { lastUpdated } });
    expect(reason([newer, undated('2026-01-03T09:00:00Z')])).toBe('time-unknown');
    expect(reason([newer, undated('2026-01-03T07:00:00Z')])).toBe('chose newer');
  });

  it('is none where two may be the newest', () => {
    expect(reason([newer, imagingStudy({ id: 'that-day', started: '2026-01-03' })])).toBe('several-images');
  });

  it('is none where its date may lie before the window', () => {
    expect(reason([imagingStudy({ started: '2026-01-01' })])).toBe('time-unknown');
  });

  it('is none where it carries a modifier that nobody here knows', () => {
    const modifierExtension = [{ url: 'https://example.org/not-of-this-patient', valueBoolean: true }];
    expect(reason([older, { ...newer, modifierExtension }])).toBe('undecodable');
  });

  it('DW-26: shows the body site that is asked for, and only its series count', () => {
    const sct = 'http://snomed.info/sct';
    const site = { modality: ['DX'], window: 'P2D', bodySite: [`${sct}|51185008`] };
    const chest = imagingSeries({ uid: '1.1', bodySite: { system: sct, code: '51185008' } });
    const foot = imagingSeries({ uid: '1.2', bodySite: { system: sct, code: '56459004' } });
    const chosen = choose([imagingStudy({ started: asOf, series: [chest, foot] })], { wanted: site });
    expect([...(chosen.series ?? [])]).toEqual(['1.1']);
    expect(reason([imagingStudy({ started: asOf, series: [foot] })], { wanted: site })).toBe('no-matching-image');
    expect(reason([imagingStudy({ started: asOf })], { wanted: site })).toBe('undecodable');
    expect(reason([imagingStudy({ started: asOf, series: undefined })], { wanted: site })).toBe('undecodable');
  });
});
