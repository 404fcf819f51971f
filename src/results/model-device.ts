import { createHash } from 'node:crypto';
import type { Device } from '@medplum/fhirtypes';
import { siteSentence } from '../model-catalog/applied-site.ts';
import { artificialIntelligence, modelNamingSystem } from './canonical-urls.ts';
import type { PredictedModel } from './result-request.ts';

const longestId = 64;

/**
 * Logical id of the Device of one model version: the same model, version and digest always give the same id, so the
 * Device is made once and never changed (DEV-2).
 */
export function modelDeviceId({ id, version, digest }: Pick<PredictedModel, 'id' | 'version' | 'digest'>): string {
  const readable = `model-${id}-${version}-${digest.slice(0, 12)}`.replace(/[^A-Za-z0-9\-.]/g, '-');
  if (readable.length <= longestId) return readable;
  return `model-${createHash('sha256').update(`${id}|${version}|${digest}`).digest('hex').slice(0, 40)}`;
}

/** What identifies one model version with these very weights, as an identifier value. */
export function modelIdentifier({ id, version, digest }: Pick<PredictedModel, 'id' | 'version' | 'digest'>): string {
  return `${id}|${version}|${digest}`;
}

/** The Device of one model version, in the shape of the AI-Device profile (DEV-1, AIT-3). */
export function modelDevice(model: PredictedModel): Device & { id: string } {
  const { manifest, site } = model;
  return {
    resourceType: 'Device',
    id: modelDeviceId(model),
    meta: { profile: ['http://hl7.org/fhir/uv/aitransparency/StructureDefinition/AI-Device'] },
    identifier: [{ system: modelNamingSystem, value: modelIdentifier(model) }],
    status: 'active',
    manufacturer: manifest.publisher,
    deviceName: [
      { name: model.title, type: 'user-friendly-name' },
      { name: model.id, type: 'model-name' },
    ],
    modelNumber: model.id,
    type: { coding: [artificialIntelligence], text: 'Predictive model' },
    version: [{ value: model.version }],
    note: [{ text: manifest.description }, ...(site === undefined ? [] : [{ text: siteSentence(site) }])],
  };
}
