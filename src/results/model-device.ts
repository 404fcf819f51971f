import { createHash } from 'node:crypto';
import type { Device, DocumentReference } from '@medplum/fhirtypes';
import { siteSentence } from '../model-catalog/applied-site.ts';
import type { BatchGrade } from '../model-catalog/engine-report.ts';
import {
  aiInputsSystem,
  aiTransparency,
  artificialIntelligence,
  batchGradeSystem,
  modelEngineNamingSystem,
  modelNamingSystem,
} from './canonical-urls.ts';
import type { PredictedModel } from './result-request.ts';

const longestId = 64;

/** What each grade says to a reader; see CodeSystem/batch-grade. */
export const gradeTexts: Readonly<Record<BatchGrade['grade'], string>> = {
  bitwise: 'A subject scores the same bits alone and in company; measured when the model was loaded.',
  padded:
    'A subject scores the same bits alone and in company, since rows are filled up to a multiple; measured when the model was loaded.',
  single: 'Each subject is scored in a run of its own.',
  tolerance:
    'A subject may score differently in company, within rounding: 0.00001 and 0.01 % of the score; measured when the model was loaded.',
};

/** What identifies one model version with these very weights, as an identifier value. */
export function modelIdentifier({ id, version, digest }: Pick<PredictedModel, 'id' | 'version' | 'digest'>): string {
  return `${id}|${version}|${digest}`;
}

/**
 * The Device of one model version on its engine, in the shape of the AI-Device profile (DEV-1, AIT-3). It holds the card of
 * the version, so that whoever stores the Device has the card too (AIT-5). Its id and its first identifier are made of all
 * that it says: a Device is made once and never changed, and one that says anything else is another (DEV-2).
 * @param card the card as Markdown
 */
export function modelDevice(model: PredictedModel, card: string): Device & { id: string } {
  const { manifest, site, engine } = model;
  const engineIdentifier = `${modelIdentifier(model)}|${engineName(model)}`;
  const said: Omit<Device, 'resourceType' | 'identifier'> = {
    meta: { profile: [`${aiTransparency}/StructureDefinition/AI-Device`] },
    contained: [cardDocument(model, card)],
    extension: [
      {
        url: `${aiTransparency}/StructureDefinition/aitransparency.modelCardDescription`,
        valueReference: { reference: `#${cardId}` },
      },
    ],
    status: 'active',
    manufacturer: manifest.publisher,
    deviceName: [
      { name: model.title, type: 'user-friendly-name' },
      { name: model.id, type: 'model-name' },
    ],
    modelNumber: model.id,
    type: { coding: [artificialIntelligence], text: 'Predictive model' },
    version: [{ value: model.version }],
    property: [
      { type: { text: 'Runtime' }, valueCode: [{ text: engine.runtime }] },
      { type: { text: 'Execution provider' }, valueCode: [{ text: engine.device.provider }] },
      {
        type: { text: 'Scores alone and in company' },
        valueCode: [
          {
            coding: [{ system: batchGradeSystem, code: engine.batches.grade }],
            text: gradeTexts[engine.batches.grade],
          },
        ],
      },
    ],
    note: [{ text: manifest.description }, ...(site === undefined ? [] : [{ text: siteSentence(site) }])],
  };
  const content = sha256(JSON.stringify([engineIdentifier, said])).slice(0, 8);
  return {
    resourceType: 'Device',
    id: deviceId(model, content),
    identifier: [
      // The first is unique to this Device: whoever stores it elsewhere finds it by that.
      { system: modelEngineNamingSystem, value: `${engineIdentifier}|${content}` },
      { system: modelNamingSystem, value: modelIdentifier(model) },
    ],
    ...said,
  };
}

const cardId = 'model-card';

/** The card as the AI-ModelCard that the Device refers to (AIT-5). */
function cardDocument({ title, version }: PredictedModel, card: string): DocumentReference {
  return {
    resourceType: 'DocumentReference',
    id: cardId,
    meta: { profile: [`${aiTransparency}/StructureDefinition/AI-ModelCard`] },
    status: 'current',
    type: { coding: [{ system: aiInputsSystem, code: 'AIModelCard' }] },
    category: [{ coding: [{ system: aiInputsSystem, code: 'AIModelCardMarkdownFormat' }] }],
    description: `Model card of ${title}, version ${version}`,
    content: [
      {
        attachment: {
          contentType: 'text/markdown',
          data: Buffer.from(card).toString('base64'),
          title: `Model card of ${title}, version ${version}`,
        },
      },
    ],
  };
}

function deviceId({ id, version, digest }: PredictedModel, content: string): string {
  const readable = `model-${id}-${version}-${digest.slice(0, 12)}-${content}`.replace(/[^A-Za-z0-9\-.]/g, '-');
  if (readable.length <= longestId) return readable;
  return `model-${sha256(`${id}|${version}|${digest}|${content}`).slice(0, 40)}`;
}

/**
 * `onnxruntime-1.30.0-cpu-padded16`, `onnxruntime-1.30.0-cpu-bitwise-2threads`: what the bits of a row depend on. How many rows
 * its run is filled up to, and how many threads share its numbers, are part of it.
 */
function engineName({ engine: { runtime, device, batches, threads = 1 } }: Pick<PredictedModel, 'engine'>): string {
  const grade = batches.grade === 'padded' ? `padded${batches.padTo}` : batches.grade;
  const name = `${runtime}-${device.provider}-${grade}${threads > 1 ? `-${threads}threads` : ''}`;
  return name.replaceAll(' ', '-');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
