import { describe, expect, it } from 'vitest';
import { type AsyncOwners, asyncOwners } from '../support/fuzz/async-owners.ts';
import type { Credential } from '../support/fuzz/credential.ts';
import { grantOf, nothing } from '../support/fuzz/grant.ts';
import { lettingFault } from '../support/fuzz/letting-fault.ts';
import { routeNeeds } from '../support/fuzz/route-needs.ts';

/** What the fuzzer of callers judges by (`hostile-callers.test.ts`): it must see who was let in wrongly. */
const nobody: Credential = { name: 'nobody', grant: nothing, parts: [] };
const predicting = (name: string, caller: string): Credential => ({
  name,
  caller,
  grant: grantOf(['caller'], { everybody: { '*': 'crs' } }),
  parts: [],
});
const [owner, sameCaller, other] = [
  predicting('owner', 'one'),
  predicting('same', 'one'),
  predicting('other', 'another'),
];
const launched: Credential = {
  name: 'launch',
  caller: 'one',
  grant: grantOf(['caller'], { launch: { patient: '2', letters: 'rs' } }),
  parts: [],
};
const body = Buffer.from('{}');

function judged(method: string, target: string, credential: Credential, owners: AsyncOwners): string | undefined {
  return lettingFault(
    { method, target, headers: {}, route: '' },
    { status: 200, headers: {}, body },
    credential,
    owners,
  );
}

describe('who is let in', () => {
  it('SM-12: without a token is seen at every path but the seven that need none', () => {
    const paths = routeNeeds.map(([, path]) => path.replace('*rest', 'Patient/1').replace(/:\w+/g, 'x'));
    const seen = (path: string): boolean => judged('GET', path, nobody, asyncOwners()) !== undefined;
    expect([...paths, '/health', '/health/live', '/health/ready', '/absent'].filter((path) => !seen(path))).toEqual([
      '/fhir/R4/metadata',
      '/fhir/R4/.well-known/smart-configuration',
      '/schemas/x',
      '/.well-known/jwks.json',
      '/health',
      '/health/live',
      '/health/ready',
    ]);
  });

  it('OP-55: to read or cancel the asynchronous request of another is seen, and of nobody', () => {
    const owners = asyncOwners();
    const headers = { 'content-location': 'http://127.0.0.1:1/fhir/R4/_async/an-id' };
    owners.taken({ target: '/fhir/R4/Patient/1/$predict?x=1' }, { status: 202, headers }, owner);
    expect(owners.ids()).toEqual(['an-id']);
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      const at = '/fhir/R4/_async/an-id';
      expect(judged(method, at, owner, owners)).toBeUndefined();
      expect(judged(method, at, sameCaller, owners)).toBeUndefined();
      expect(judged(method, at, other, owners)).toContain('of somebody else');
      expect(judged(method, at, nobody, owners)).toContain('without predictions.make');
      expect(judged(method, at, launched, owners)).toContain('another patient');
      expect(judged(method, '/fhir/R4/_async/AN-ID', owner, owners)).toContain('that nobody made');
    }
  });
});
