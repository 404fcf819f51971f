import { testFeatureMaps } from '../contract/feature-map.ts';
import { shippedMaps } from '../support/map-under-test.ts';

const maps = await shippedMaps();

testFeatureMaps(maps, {
  // What only the caller can say.
  unreached: maps.flatMap(({ id, map }) =>
    Object.entries(map.features).flatMap(([name, { kind }]) => (kind === 'input' ? [`${id} ${name}`] : [])),
  ),
  states: [
    'observed',
    'derived',
    'assumed-absent',
    'not-found',
    'no-recent-encounter',
    'undecodable',
    'conflict',
    'unit-missing',
    'unit-unknown',
    'unit-contradictory',
    'unconvertible',
    'comparator',
    'implausible',
    'suspected-unit-error',
    'not-numeric',
    'unrecognised-answer',
    'not-in-vocabulary',
    'not-in-table',
    'status-at-time-unknown',
    'time-unknown',
    'input-missing',
  ],
});
