import type { CdsHooksService } from '../../src/model-catalog/cds-hooks-schema.ts';
import { copyModel, type ModelFolder } from './model-folder.ts';

/** Words for a high risk, as an owner may write them. Synthetic, not for clinical use. */
export const highTemplate = `### {{band}}

{{outcome}}: **{{score}}**, by {{model}} {{version}} as of {{asOf}}.

{{contributions}}

{{basis}}

{{signature}}
`;

export const abstainedTemplate = `Ask for what is missing:

{{reasons}}

{{basis}}

{{signature}}
`;

/** A draft that a model may suggest. Synthetic, not for clinical use. */
export const lipidPanel = {
  resourceType: 'ServiceRequest',
  status: 'draft',
  intent: 'proposal',
  code: { coding: [{ system: 'http://loinc.org', code: '57698-3', display: 'Lipid panel with direct LDL' }] },
};
export const referral = {
  resourceType: 'Task',
  status: 'draft',
  intent: 'proposal',
  code: { text: 'Talk about the risk' },
};
export const statin = {
  resourceType: 'MedicationRequest',
  status: 'draft',
  intent: 'proposal',
  medicationCodeableConcept: { text: 'A statin of the clinician’s choice' },
};

/** Everything that a service may declare of its cards, but for treatment advice. */
export const declaredCards: Partial<CdsHooksService> = {
  cards: {
    scored: [
      { band: 'low', show: 'none' },
      { band: 'borderline', show: 'info' },
      { band: 'intermediate', show: 'warning' },
      { band: 'high', show: 'critical', detail: 'cards/high.md' },
    ],
    abstained: 'info',
    notEligible: 'info',
    disabled: 'info',
    details: { abstained: 'cards/abstained.md' },
  },
  suggestions: {
    selectionBehavior: 'at-most-one',
    choices: [
      {
        label: 'Order a lipid panel',
        because: 'Synthetic example, not for clinical use',
        bands: ['borderline', 'intermediate', 'high'],
        actions: [{ type: 'create', description: 'Draft of a lipid panel', resource: 'cards/lipid-panel.json' }],
      },
      {
        label: 'Talk about the risk',
        because: 'Synthetic example, not for clinical use',
        bands: ['high'],
        isRecommended: true,
        actions: [{ type: 'create', description: 'Task to talk about it', resource: 'cards/talk.json' }],
      },
    ],
  },
  overrideReasons: [{ system: 'https://hospital.example/reasons', code: 'palliative', display: 'Palliative care' }],
  links: [
    { label: 'Guideline', url: 'https://hospital.example/guideline', type: 'absolute' },
    {
      label: 'Risk app',
      url: 'https://hospital.example/launch',
      type: 'smart',
      appContext: '{"view":"risk"}',
      autolaunchable: true,
    },
  ],
  repeats: { heldFor: 'PT8H' },
  systemActions: ['create-result'],
};

/**
 * A copy of `pce-2013` whose service declares all that cards can have, sealed.
 * @param change of what the service declares
 */
export async function cardModel(change: (service: CdsHooksService) => void = () => undefined): Promise<ModelFolder> {
  const folder = await copyModel('pce-2013');
  await folder.write('cards/high.md', highTemplate);
  await folder.write('cards/abstained.md', abstainedTemplate);
  await folder.write('cards/lipid-panel.json', JSON.stringify(lipidPanel));
  await folder.write('cards/talk.json', JSON.stringify(referral));
  await folder.edit('manifest.json', (manifest) => {
    Object.assign(manifest.cdsHooks[0], structuredClone(declaredCards));
    change(manifest.cdsHooks[0]);
  });
  await folder.seal();
  return folder;
}
