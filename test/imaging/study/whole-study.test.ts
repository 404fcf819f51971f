import { describe, expect, it } from 'vitest';
import { checkWhole, type SeriesTally } from '../../../src/imaging/study/whole-study.ts';
import { imagingSeries, imagingStudy } from '../../support/build-imaging-study.ts';

const quiet = { now: new Date('2026-01-02T08:02:00Z'), quietPeriodMs: 120_000 };
const images = (objects: number): SeriesTally => ({ objects, mayCount: true });
const reports = (objects: number): SeriesTally => ({ objects, mayCount: false });
const two = imagingStudy({
  numberOfSeries: 2,
  numberOfInstances: 5,
  series: [imagingSeries({ uid: '1.1', numberOfInstances: 2 }), imagingSeries({ uid: '1.2', numberOfInstances: 3 })],
});

describe('a study', () => {
  it('is whole where each series has as many objects as it counts, and nothing changed for a while', () => {
    expect(() =>
      checkWhole(
        two,
        new Map([
          ['1.1', images(2)],
          ['1.2', images(3)],
        ]),
        quiet,
      ),
    ).not.toThrow();
  });

  it.each([
    [
      'an object of a series is missing',
      [
        ['1.1', images(2)],
        ['1.2', images(2)],
      ],
      '2 objects at the image server, and 3',
    ],
    ['a series is missing', [['1.1', images(2)]], '0 objects at the image server'],
    [
      'an object came that is not counted',
      [
        ['1.1', images(3)],
        ['1.2', images(3)],
      ],
      '3 objects at the image server, and 2',
    ],
    [
      'a series of images came',
      [
        ['1.1', images(2)],
        ['1.2', images(3)],
        ['1.3', images(1)],
      ],
      '1 series of images',
    ],
    ['the server has nothing', [], 'no object of the study'],
  ] as const)('is not whole where %s', (_, tally, why) => {
    expect(() => checkWhole(two, new Map(tally), quiet)).toThrow(why);
  });

  it('is whole whatever results about it are stored in it', () => {
    const withReport = new Map([
      ['1.1', images(2)],
      ['1.2', images(3)],
      ['1.9', reports(1)],
    ]);
    expect(() => checkWhole(two, withReport, quiet)).not.toThrow();
  });

  it.each([
    ['the results are listed with a count that is behind', { numberOfInstances: 1 }, 6],
    ['the results are listed, and the study is counted as it was', { numberOfInstances: 2 }, 5],
    ['the results are listed without a count of theirs', {}, 7],
  ])('DW-16: is whole where %s', (_, counts, numberOfInstances) => {
    const series = [
      ...(two.series ?? []),
      imagingSeries({ uid: '1.9', description: 'AI result, not read by a radiologist', ...counts }),
    ];
    const objects = new Map([
      ['1.1', images(2)],
      ['1.2', images(3)],
      ['1.9', { objects: 2, mayCount: false, results: 2, additions: 2 }],
    ]);
    expect(() => checkWhole({ ...two, numberOfInstances, series }, objects, quiet)).not.toThrow();
    objects.delete('1.9');
    const study = { ...two, numberOfInstances: undefined, series };
    expect(() => checkWhole(study, objects, quiet)).not.toThrow();
    objects.set('1.2', images(2));
    expect(() => checkWhole(study, objects, quiet)).toThrow('2 objects at the image server, and 3');
  });

  it('DW-16: that is counted as a whole is whole whether what others added is counted or not, and not where an image is missing', () => {
    const bare = imagingStudy({ numberOfSeries: 2, numberOfInstances: 5, series: undefined });
    const additions = { objects: 1, mayCount: false, additions: 1 };
    const objects = new Map<string, SeriesTally>([
      ['1.1', images(2)],
      ['1.2', images(3)],
      ['1.8', additions],
    ]);
    expect(() => checkWhole(bare, objects, quiet)).not.toThrow();
    expect(() => checkWhole({ ...bare, numberOfSeries: 3, numberOfInstances: 6 }, objects, quiet)).not.toThrow();
    objects.set('1.9', additions).set('1.2', images(2));
    expect(() => checkWhole(bare, objects, quiet)).toThrow('6 objects are at the image server, and 5');
  });

  it('DW-5: that lists no series is counted as a whole', () => {
    const bare = imagingStudy({ numberOfSeries: 2, numberOfInstances: 5, series: undefined });
    expect(() =>
      checkWhole(
        bare,
        new Map([
          ['1.1', images(2)],
          ['1.2', images(3)],
        ]),
        quiet,
      ),
    ).not.toThrow();
    expect(() =>
      checkWhole(
        bare,
        new Map([
          ['1.1', images(2)],
          ['1.2', images(2)],
        ]),
        quiet,
      ),
    ).toThrow('4 objects are at');
    expect(() => checkWhole(bare, new Map([['1.1', images(5)]]), quiet)).toThrow('1 series are at');
  });

  it('DW-5: may count a series by its instances', () => {
    const instance = [
      { uid: '1', sopClass: { code: 'x' } },
      { uid: '2', sopClass: { code: 'x' } },
    ];
    const listed = imagingStudy({
      numberOfInstances: undefined,
      series: [imagingSeries({ uid: '1.1', numberOfInstances: undefined, instance })],
    });
    expect(() => checkWhole(listed, new Map([['1.1', images(2)]]), quiet)).not.toThrow();
    expect(() => checkWhole(listed, new Map([['1.1', images(1)]]), quiet)).toThrow('and 2 in the ImagingStudy');
  });

  it('that counts otherwise than its series is none that can be trusted', () => {
    const tally = new Map([
      ['1.1', images(2)],
      ['1.2', images(3)],
    ]);
    expect(() => checkWhole({ ...two, numberOfInstances: 6 }, tally, quiet)).toThrow('5 objects are in its series');
  });

  it('that changed a moment ago is not whole yet, and says when to ask again', () => {
    const tally = new Map([
      ['1.1', images(2)],
      ['1.2', images(3)],
    ]);
    const changed = (lastUpdated: string | undefined) => ({ ...two, meta: { ...(lastUpdated && { lastUpdated }) } });
    expect(() => checkWhole(changed('2026-01-02T08:01:30Z'), tally, quiet)).toThrow(
      '30 s ago, and counts as whole after 120 s',
    );
    expect(() => checkWhole(changed(undefined), tally, quiet)).toThrow('no meta.lastUpdated');
    expect(() => checkWhole(changed(undefined), tally, { ...quiet, quietPeriodMs: 0 })).not.toThrow();
  });
});
