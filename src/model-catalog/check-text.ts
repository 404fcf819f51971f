import type { TextDefinition } from './feature-map-schema.ts';

/** That a text is looked for by a code, and a report not by what only an Observation has. */
export function checkText(definition: TextDefinition, find: (path: string, message: string) => void): void {
  const { from, codes, component, codedAnswers } = definition;
  if (from === 'report') {
    if (codes === undefined) find('/codes', 'is needed by report');
    if (component !== undefined) find('/component', 'is for an Observation: a report has no components');
    if (codedAnswers !== undefined)
      find('/codedAnswers', 'is for an Observation: the conclusion of a report is a text');
    return;
  }
  if (codes === undefined && component === undefined) find('', 'needs codes, component or both');
}
