import { type Coding, dcm } from './coded-entry.ts';
import { type ContentItem, codeItem, containerItem, imageItem, numberItem, textItem, uidItem } from './content-item.ts';
import { imageReference, type ReadObject } from './image-references.ts';
import type { ResultOrigin } from './result-origin.ts';
import { resultUid } from './result-uid.ts';

/** What a model says of one outcome. */
export interface ReportedOutcome {
  /** Of the manifest. */
  readonly id: string;
  /** What was looked for. */
  readonly concept: Coding;
  readonly said:
    | { readonly kind: 'number'; readonly value: number; readonly unit: Coding }
    | { readonly kind: 'code'; readonly value: Coding }
    /** What is no number and no code: that the model abstains, and why. */
    | { readonly kind: 'text'; readonly text: string };
}

const code = (value: string, display: string): Coding => ({ system: dcm, code: value, display });

/** One outcome as a measurement group (TID 1501) with an identity of its own, by which a later report can speak of it. */
export function reportedOutcome(
  origin: ResultOrigin,
  { id, concept, said }: ReportedOutcome,
  objects: readonly ReadObject[],
): ContentItem {
  const context = 'HAS OBS CONTEXT';
  const { identifier } = origin;
  return containerItem({
    relationship: 'CONTAINS',
    name: code('125007', 'Measurement Group'),
    children: [
      textItem({ relationship: context, name: code('112039', 'Tracking Identifier') }, `${identifier}/${id}`),
      uidItem(
        { relationship: context, name: code('112040', 'Tracking Unique Identifier') },
        resultUid(identifier, `outcome/${id}`),
      ),
      ...algorithm(origin),
      evaluation(concept, said, objects),
    ],
  });
}

/** TID 4019 (AIR-2). */
function algorithm({ model }: ResultOrigin): ContentItem[] {
  const relationship = 'HAS CONCEPT MOD';
  return [
    textItem({ relationship, name: code('111001', 'Algorithm Name') }, `${model.title} (${model.id})`),
    textItem({ relationship, name: code('111003', 'Algorithm Version') }, model.version),
    textItem({ relationship, name: code('111002', 'Algorithm Parameters') }, `SHA-256 of the model: ${model.digest}`),
    codeItem({ relationship, name: code('111000', 'Algorithm Family') }, code('123110', 'Artificial Intelligence')),
  ];
}

/** A measurement says of which images it is (TID 300); an evaluation is in a group of their report. */
function evaluation(name: Coding, said: ReportedOutcome['said'], objects: readonly ReadObject[]): ContentItem {
  const relationship = 'CONTAINS';
  switch (said.kind) {
    case 'number': {
      const children = objects.map((object) => imageItem('INFERRED FROM', imageReference(object)));
      return numberItem({ relationship, name, children }, said.value, said.unit);
    }
    case 'code':
      return codeItem({ relationship, name }, said.value);
    case 'text':
      return textItem({ relationship, name }, said.text);
  }
}
