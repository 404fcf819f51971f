import type { LintFinding } from '../../model-catalog/lint/lint-rule.ts';
import type { Registration } from '../../model-catalog/registration/registration.ts';
import type { CheckId } from '../../model-catalog/registration/registration-report.ts';

/** What lint calls the findings of a check; `load` where load alone knows it. */
const rules: Partial<Record<CheckId, string>> = { directions: 'direction-broken', 'golden-spread': 'golden-spread' };

/** The checks of a load as lint makes them: all of them, whatever the ones before found, and what load only notes is a warning. */
export function collectedRegistration(found: LintFinding[]): Pick<Registration, 'check' | 'know'> {
  return {
    async check(id, work) {
      const checked = await work();
      // What was found before the model was opened where it serves is found there again.
      if (id === 'golden-cases-served') return checked;
      const rule = rules[id] ?? 'load';
      found.push(...(checked.findings ?? []).map((finding) => ({ ...finding, rule, severity: 'error' as const })));
      const noted = id === 'directions' ? 'direction-unchecked' : id;
      found.push(...(checked.notes ?? []).map((note) => ({ ...note, rule: noted, severity: 'warning' as const })));
      return checked;
    },
    know: () => undefined,
  };
}
