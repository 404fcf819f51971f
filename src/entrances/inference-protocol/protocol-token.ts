import type { RequestHandler } from 'express';
import { readTokenFile, requireToken } from '../../http/bearer-token.ts';
import { PredictionError } from '../../platform/errors.ts';

/**
 * The token of INFERENCE_PROTOCOL_TOKEN_FILE; undefined where the entrance is off.
 * Throws CONFIG_INVALID where it is on without a token that serves.
 */
export async function readProtocolToken(settings: {
  readonly inferenceProtocol: 'on' | 'off';
  readonly inferenceProtocolTokenFile?: string;
}): Promise<string | undefined> {
  if (settings.inferenceProtocol === 'off') return undefined;
  const { inferenceProtocolTokenFile: file } = settings;
  if (file !== undefined) return await readTokenFile('INFERENCE_PROTOCOL_TOKEN_FILE', file);
  throw new PredictionError(
    'CONFIG_INVALID',
    'INFERENCE_PROTOCOL is on without INFERENCE_PROTOCOL_TOKEN_FILE: tensors are answered past every rule about eligibility, units and abstention, so every call must show a token. Name a file that holds one.',
  );
}

/** Lets through who shows the token as `Authorization: Bearer …`. */
export function requireProtocolToken(token: string): RequestHandler {
  return requireToken(
    token,
    'fhirsight inference protocol',
    'This needs the token of the inference protocol: send it as Authorization: Bearer …',
  );
}
