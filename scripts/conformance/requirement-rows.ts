import { requirements } from './requirements.ts';

/** What came of one check. */
export interface Tried {
  readonly ids: readonly string[];
  readonly says: string;
  readonly state: 'pass' | 'FAIL' | 'not run';
  readonly evidence: string;
}

/** One line of the table. `by test`: it cannot be seen from outside; tests with its id in their names show it. */
export interface RequirementRow {
  readonly id: string;
  readonly state: Tried['state'] | 'by test' | 'n/a';
  readonly evidence: string;
}

/** Every requirement with what is known of it. One check that fails outweighs all that pass. */
export function requirementRows(tried: readonly Tried[]): RequirementRow[] {
  return requirements.map(({ id, says, notApplicable }) => {
    const about = tried.filter(({ ids }) => ids.includes(id));
    const state = (['FAIL', 'pass', 'not run'] as const).find((each) => about.some((one) => one.state === each));
    if (state !== undefined) {
      const evidence = about.filter((one) => one.state === state).map((one) => one.evidence);
      return { id, state, evidence: evidence.join('; ') };
    }
    if (notApplicable !== undefined) return { id, state: 'n/a', evidence: `${says}: ${notApplicable}` };
    return { id, state: 'by test', evidence: `${says}: by tests that name it` };
  });
}
