import { describe, expect, it } from 'vitest';
import { policyTable } from '../../../src/http/access/policy-table.ts';
import { openPaths, routeNeeds } from '../../support/fuzz/route-needs.ts';

describe('what routes ask for under AUTH=required', () => {
  it('SM-12: is for each what was decided, and no row is tried before another that was to be tried first', () => {
    expect(policyTable.map(({ method, path, need }) => [method, path, need])).toEqual(routeNeeds);
  });

  it('SM-12: is nothing for seven paths that say nothing about anybody, and for no other', () => {
    const open = policyTable.flatMap(({ path, need }) => (need === 'nothing' ? [path] : []));
    expect(open).toEqual(openPaths.filter((path) => !path.startsWith('/health')));
    expect(openPaths).toHaveLength(7);
  });
});
