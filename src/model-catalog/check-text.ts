import type { TextDefinition } from './feature-map-schema.ts';

/** That a text is looked for by a code. */
export function checkText({ codes, component }: TextDefinition, find: (path: string, message: string) => void): void {
  if (codes === undefined && component === undefined) find('', 'needs codes, component or both');
}
