import { afterEach, describe, expect, it } from 'vitest';
import { parseCardTemplate } from '../../src/model-catalog/cds-cards/card-template.ts';
import { draftParser } from '../../src/model-catalog/cds-cards/parse-draft.ts';
import type { CdsHooksService } from '../../src/model-catalog/cds-hooks-schema.ts';
import { checkManifest } from '../../src/model-catalog/check-manifest.ts';
import { type Finding, findingText } from '../../src/model-catalog/finding.ts';
import { parseManifest } from '../../src/model-catalog/parse-model-json.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { cardModel, declaredCards, lipidPanel, statin } from '../support/card-model.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import { shippedModel } from '../support/shipped-model.ts';

const parseDraft = draftParser();
const { manifest: shipped } = await shippedModel('pce-2013');
const [offered] = shipped.cdsHooks ?? [];
if (offered === undefined) throw new Error('the model has no service');
const manifest = { ...shipped, cdsHooks: [{ ...offered, ...declaredCards }] };

let folder: ModelFolder | undefined;
afterEach(async () => {
  await folder?.[Symbol.asyncDispose]();
  folder = undefined;
});

/** Why the folder is refused; empty where it is not. */
async function refusal(
  change: (service: CdsHooksService) => void = () => undefined,
  files: Readonly<Record<string, string>> = {},
  regulatory?: readonly object[],
): Promise<string> {
  folder = await cardModel(change);
  for (const [file, content] of Object.entries(files)) await folder.write(file, content);
  if (regulatory !== undefined)
    await folder.edit('model-card.json', (card) => {
      card.regulatory = regulatory;
    });
  await folder.seal();
  return await readModelFolder(folder.dir).then(
    () => '',
    (error: Error) => error.message,
  );
}

const all = '{{risk}}\n\n{{basis}}\n\n{{signature}}\n';

describe('the cards of a model folder', () => {
  it('CDS-33 CDS-37 CDS-41 CDS-42 are read with templates, drafts, reasons and links', async () => {
    expect(await refusal()).toBe('');
    const { cardFiles } = await readModelFolder(folder?.dir ?? '');
    expect([...cardFiles.templates.keys()]).toEqual(['cards/high.md', 'cards/abstained.md']);
    expect(cardFiles.drafts.get('cards/lipid-panel.json')).toEqual(lipidPanel);
  });

  it('are part of the digest: another word is another model', async () => {
    await refusal();
    const before = await readModelFolder(folder?.dir ?? '');
    await folder?.write('cards/high.md', all);
    await folder?.seal();
    expect((await readModelFolder(folder?.dir ?? '')).digest).not.toBe(before.digest);
  });

  it.each([
    ['an unknown placeholder', `{{riskk}}\n${all}`, 'names {{riskk}}, which is none of'],
    ['a name of a person', `{{patientName}}\n${all}`, 'names {{patientName}}'],
    ['a brace that opens nothing', `{{ score\n${all}`, 'belong to no placeholder'],
    ['no number', '{{basis}}\n{{signature}}', 'holds neither {{score}} nor {{risk}}'],
    ['no basis', '{{score}}\n{{signature}}', 'does not hold {{basis}}'],
    ['no signature', '{{score}}\n{{basis}}', 'does not hold {{signature}}'],
    ['a block inside a line', `So: {{risk}}\n${all}`, 'give it a line of its own'],
    ['HTML', `<b>high</b>\n${all}`, 'holds HTML'],
    ['an image', `![x](https://a.example/b.png)\n${all}`, 'holds an image'],
    ['a score in an address', `[x](https://a.example/?r={{score}})\n${all}`, 'no value of a patient leaves in a link'],
    ...(
      [
        ['an address without a scheme', 'www.evil.example/{{score}}'],
        ['the definition of a reference', '[a]\n\n[a]: //evil.example/{{score}}'],
        ['a definition that goes on in the next line', '[a]\n\n[a]:\n//evil.example/{{score}}'],
        ['a definition of mail', '[a]\n\n[a]: mailto:x@evil.example?subject={{score}}'],
        ['a link that goes on in the next line', '[a](\n//evil.example/{{score}})'],
        ['a link with parentheses', '[a](//evil.example/(b)/{{score}})'],
        ['an address of mail', 'mailto:x@evil.example?subject={{score}}'],
        ['the name of a mailbox', 'r{{score}}@evil.example'],
      ] as const
    ).map(([what, text]) => [`a score in ${what}`, `${text}\n${all}`, 'no value of a patient leaves in a link']),
    ['a control character', `\u0000${all}`, 'is not text in UTF-8'],
    ['more than a card holds', `${'x'.repeat(8_001)}\n${all}`, 'at most 8000 are read'],
  ])('CDS-33 refuses a template with %s', (_, template, message) => {
    const findings: Finding[] = [];
    expect(parseCardTemplate('cards/high.md', Buffer.from(template), 'scored', findings)).toBeUndefined();
    expect(findings.map((finding) => finding.message).join()).toContain(message);
  });

  it('CDS-33 refuses a score in the template of a card that has none, and one without reasons', () => {
    const findings: Finding[] = [];
    parseCardTemplate('cards/a.md', Buffer.from('{{score}}\n{{basis}}\n{{signature}}'), 'unscored', findings);
    expect(findings.map(({ message }) => message.split(/[,:]/)[0])).toEqual([
      'names {{score}}',
      'does not hold {{reasons}}',
    ]);
  });

  it('refuses a file that no service uses, and a name without a file', async () => {
    expect(await refusal(undefined, { 'cards/old.md': all })).toContain('is used by no service');
    await folder?.[Symbol.asyncDispose]();
    expect(
      await refusal((service) => {
        service.cards.details = { abstained: 'cards/none.md' };
      }),
    ).toContain('names cards/none.md, which is not there');
  });

  it.each([
    ['that is active', { ...lipidPanel, status: 'active' }, 'must be draft'],
    ['that is a directive', { ...lipidPanel, intent: 'directive' }, 'must be one of proposal, plan, order'],
    ['about somebody', { ...lipidPanel, subject: { reference: 'Patient/1' } }, 'is not the model’s to say'],
    ['for somebody at a site', { ...lipidPanel, performer: [{ reference: 'Practitioner/1' }] }, 'refers to a resource'],
    ['of another type', { resourceType: 'Observation', status: 'draft' }, 'ServiceRequest, MedicationRequest, Task'],
    ['that breaks R4', { ...lipidPanel, code: 'lipids' }, 'is not valid in FHIR R4'],
    ['with an empty list', { ...lipidPanel, category: [] }, 'is not valid in FHIR R4'],
    ['that is text', 'no resource', 'is no JSON object'],
  ])('CDS-39 refuses a draft %s', (_, draft, message) => {
    const findings: Finding[] = [];
    expect(parseDraft('cards/a.json', Buffer.from(JSON.stringify(draft)), findings)).toBeUndefined();
    expect(findings.map((finding) => finding.message).join()).toContain(message);
  });

  const suggestsStatin = (service: CdsHooksService): void => {
    service.suggestions?.choices.push({
      label: 'Start a statin',
      because: 'Synthetic example, not for clinical use',
      bands: ['high'],
      actions: [{ type: 'create', description: 'Draft', resource: 'cards/statin.json' }],
    });
  };
  const files = { 'cards/statin.json': JSON.stringify(statin) };
  const cleared = {
    status: 'cleared',
    jurisdiction: 'XX',
    authority: 'An example authority',
    identifier: 'EX-1',
    date: '2026-01-01',
    statement: 'Synthetic, for a test.',
  };

  it.each([
    ['none', [{ status: 'none', statement: 'None.' }]],
    ['withdrawn', [cleared, { status: 'withdrawn', statement: 'Taken back.' }]],
  ])('CDS-39 refuses treatment advice of a model whose regulatory status is %s', async (_, regulatory) => {
    expect(await refusal(suggestsStatin, files, regulatory)).toContain('is treatment advice');
  });

  it('CDS-39 reads treatment advice of a model that an authority has cleared', async () => {
    expect(await refusal(suggestsStatin, files, [cleared])).toBe('');
  });

  it.each<[string, (service: CdsHooksService) => void, string]>([
    [
      'CDS-38 two recommended of at most one',
      ({ suggestions }) => Object.assign(suggestions?.choices[0] ?? {}, { isRecommended: true }),
      'recommends 2 of at most one at high',
    ],
    [
      'CDS-37 a band that is none',
      ({ suggestions }) => Object.assign(suggestions?.choices[0] ?? {}, { bands: ['severe'] }),
      'severe is none of low, borderline, intermediate, high',
    ],
    [
      'CDS-37 a band without a card',
      ({ suggestions }) => Object.assign(suggestions?.choices[0] ?? {}, { bands: ['low'] }),
      'at low no card is shown',
    ],
    [
      'CDS-37 a score beside bands',
      ({ suggestions }) => Object.assign(suggestions?.choices[0] ?? {}, { from: 0.1 }),
      'name those at which it is suggested',
    ],
    ...(['changes', 'removes'] as const).map((does): [string, (service: CdsHooksService) => void, string] => [
      `CDS-39 an action that ${does} what is there`,
      ({ suggestions }) =>
        Object.assign(suggestions?.choices[0]?.actions?.[0] ?? {}, { type: does === 'changes' ? 'update' : 'delete' }),
      '/suggestions/choices/0/actions/0/type',
    ]),
    [
      'CDS-42 a context for a page',
      ({ links }) => Object.assign(links?.[0] ?? {}, { appContext: 'x' }),
      'is for links of type smart only',
    ],
    [
      'CDS-42 a link without encryption',
      ({ links }) => Object.assign(links?.[0] ?? {}, { url: 'http://hospital.example' }),
      '/links/0/url',
    ],
    [
      'CDS-42 two links that open unasked',
      ({ links }) => Object.assign(links?.[0] ?? {}, { autolaunchable: true }),
      'has several links that a client may open unasked',
    ],
    [
      'CDS-41 a reason without words',
      ({ overrideReasons }) => Object.assign(overrideReasons?.[0] ?? {}, { display: '' }),
      '/overrideReasons/0/display',
    ],
    ['CDS-41 a reason twice', ({ overrideReasons = [] }) => overrideReasons.push(...overrideReasons), 'is there twice'],
    ['a time that is none', (service) => Object.assign(service, { repeats: { heldFor: 'P1Y' } }), '/repeats/heldFor'],
    [
      'CDS-43 an unknown system action',
      (service) => Object.assign(service, { systemActions: ['delete-allergies'] }),
      '/systemActions/0',
    ],
  ])('refuses %s', (_, change, message) => {
    const changed = structuredClone(manifest);
    const [service] = changed.cdsHooks ?? [];
    if (service !== undefined) change(service);
    const findings: Finding[] = [];
    const parsed = parseManifest('manifest.json', Buffer.from(JSON.stringify(changed)), findings);
    if (parsed !== undefined) findings.push(...checkManifest(parsed, { id: manifest.id, version: manifest.version }));
    expect(findings.map(findingText).join()).toContain(message);
  });
});
