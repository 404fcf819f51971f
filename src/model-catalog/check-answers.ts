import { isUcumUnit } from '../fhir/ucum.ts';
import type { AnswerDefinition, CategoryDefinition } from './feature-map-schema.ts';

type Find = (path: string, message: string) => void;

/** That an answer says how it is read, and no code is both a yes and a no. */
export function checkAnswer({ codes, component, yes, no, trueMeans, yesAbove }: AnswerDefinition, find: Find): void {
  if (codes === undefined && component === undefined) find('', 'needs codes, component or both');
  for (const code of yes?.filter((each) => no?.includes(each)) ?? []) find('/no', `${code} is also a yes`);
  if ((yes === undefined) !== (no === undefined)) find('', 'needs both yes and no, or neither');
  else if (yes === undefined && trueMeans === undefined && yesAbove === undefined)
    find('', 'needs yes and no, trueMeans or yesAbove');
  if (yesAbove === undefined) return;
  const [low, high] = yesAbove.plausible;
  if (!isUcumUnit(yesAbove.unit)) find('/yesAbove/unit', `${yesAbove.unit} is no UCUM unit`);
  if (low >= high) find('/yesAbove/plausible', 'the smallest value must be below the largest');
  else if (yesAbove.limit < low || yesAbove.limit >= high)
    find(
      '/yesAbove/limit',
      `must lie inside the plausible ${low} to ${high}, below its end: else one answer never comes`,
    );
}

/** That every code says one level, and that the level of all others is one of them. */
export function checkCategory({ codes, component, levels, unseen }: CategoryDefinition, find: Find): void {
  if (codes === undefined && component === undefined) find('', 'needs codes, component or both');
  const levelOf = new Map<string, string>();
  for (const [level, listed] of Object.entries(levels)) {
    if (level === 'abstain') find('/levels/abstain', 'is no name of a level: unseen takes it for the reason');
    if (listed.length === 0 && level !== unseen)
      find(`/levels/${level}`, 'has no codes; only the level that unseen names may have none');
    for (const code of listed) {
      const other = levelOf.get(code);
      if (other !== undefined) find(`/levels/${level}`, `${code} also says ${other}`);
      levelOf.set(code, level);
    }
  }
  if (unseen !== 'abstain' && !Object.hasOwn(levels, unseen)) find('/unseen', `${unseen} is no level`);
}
