import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkCard } from '../../src/model-catalog/card/check-card.ts';
import { measureNames } from '../../src/model-catalog/card/measure-schema.ts';
import { sourceAttributeGroups } from '../../src/model-catalog/card/source-attributes.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { ModelCard } from '../../src/model-catalog/model-card-schema.ts';
import { parseModelCard } from '../../src/model-catalog/parse-model-json.ts';
import { blocksOf, readDocument, tableRows } from '../support/markdown-blocks.ts';
import { shippedModels } from '../support/model-folder.ts';

const document = 'docs/model-card.md';
const shipped = <T>(file: string): T =>
  JSON.parse(readFileSync(path.join(shippedModels, 'pce-2013/1.0.0', file), 'utf8'));

test('docs/model-card.md lists the 31 source attributes and what each is made from', () => {
  const rows = tableRows(readDocument(document)).filter(([key = '']) => key.startsWith('`DSI-'));
  const defined = Object.entries(sourceAttributeGroups).flatMap(([group, attributes]) =>
    attributes.map(({ name, from }) => [group, name, from]),
  );
  expect(rows).toEqual(defined.map((row, index) => [`\`DSI-${index + 1}\``, ...row]));
  expect(rows).toHaveLength(31);
});

test('the parts of a card in docs/model-card.md are accepted', () => {
  const example = blocksOf(document).find(({ language }) => language === 'json');
  const card: ModelCard = { ...shipped<ModelCard>('model-card.json'), ...JSON.parse(example?.text ?? '') };
  const findings: Finding[] = [];
  expect(parseModelCard('model-card.json', Buffer.from(JSON.stringify(card)), findings), String(findings)).toEqual(
    card,
  );
  expect(checkCard(card, shipped<Manifest>('manifest.json'), shipped<FeatureMap>('feature-map.json'))).toEqual([]);
});

test('docs/model-card.md names every code of a measure', () => {
  const text = readDocument(document);
  expect(Object.keys(measureNames).filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});
