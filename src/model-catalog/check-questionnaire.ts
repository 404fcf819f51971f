import type { QuestionnaireDefinition } from './questionnaire-schema.ts';
import { repeated } from './repeated.ts';

/** That the answer is read in one way only: as a number, as yes or no, or as a code. */
export function checkQuestionnaire(
  { unit, plausible, numbers, yes = [], no = [], trueMeans, vocabulary }: QuestionnaireDefinition,
  find: (path: string, message: string) => void,
): void {
  const isYesOrNo = yes.length > 0 || no.length > 0 || trueMeans !== undefined;
  const ways = [unit !== undefined, isYesOrNo, vocabulary !== undefined].filter((given) => given);
  if (ways.length !== 1) find('', 'needs one of unit (a number), yes and no or trueMeans, and vocabulary (a code)');
  if (unit !== undefined && plausible === undefined) find('/plausible', 'is needed by a number: what may be true');
  if (unit === undefined && plausible !== undefined) find('/plausible', 'is for a number, which needs a unit');
  if (unit === undefined && numbers !== undefined) find('/numbers', 'is for a number, which needs a unit');
  if (yes.length > 0 !== no.length > 0)
    find(yes.length > 0 ? '/no' : '/yes', 'is needed too: what is not listed is a reason');
  for (const code of yes) if (no.includes(code)) find('/no', `${code} is also a yes`);
  for (const code of repeated(Object.values(vocabulary ?? {}).flat()))
    find('/vocabulary', `${code} stands for two values`);
}
