import type { NumericData, Tensor, Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ModelSession } from '../model-session.ts';
import { openOnnxSession } from '../onnx-session.ts';
import { tryModel } from '../trial/try-model.ts';
import type { SessionAnswer, SessionMessage } from './session-messages.ts';

type Answered = Exclude<SessionMessage, { ask: 'keep' }>;

/** The other side of a channel: opens sessions in this thread and answers what is asked of them, one thing after the other. */
export function serveSessions(post: (answer: SessionAnswer) => void): (message: SessionMessage) => void {
  const sessions = new Map<number, ModelSession>();
  /** Feeds that come in parts, by the number of their run. */
  const kept = new Map<number, Map<string, NumericData>>();

  const keep = ({ id, feed, length, at, part }: Extract<SessionMessage, { ask: 'keep' }>): void => {
    const ofRun = kept.get(id) ?? new Map<string, NumericData>();
    kept.set(id, ofRun);
    const Numbers = part.constructor as new (length: number) => NumericData;
    const data = ofRun.get(feed) ?? new Numbers(length);
    ofRun.set(feed, data);
    (data as Float64Array).set(part as Float64Array, at);
  };
  const whole = ({ id, feeds }: Extract<SessionMessage, { ask: 'run' }>): Tensors => {
    const parts = kept.get(id);
    kept.delete(id);
    if (parts === undefined) return feeds;
    return new Map(
      [...feeds].map(([name, tensor]) => {
        const data = parts.get(name);
        return [name, data === undefined ? tensor : ({ ...tensor, data } as Tensor)];
      }),
    );
  };

  const answerTo = async (message: Answered): Promise<Extract<SessionAnswer, { value: unknown }>['value']> => {
    switch (message.ask) {
      case 'open': {
        const session = await openOnnxSession(message.request);
        sessions.set(message.id, session);
        const { inputs, outputs, otherOutputs } = session;
        return { session: message.id, inputs, outputs, otherOutputs };
      }
      case 'run':
        return await sessionOf(sessions, message.session).run(whole(message), message.wanted);
      case 'release': {
        const session = sessionOf(sessions, message.session);
        sessions.delete(message.session);
        await session.release();
        return undefined;
      }
      case 'try':
        return await tryModel(openOnnxSession, message.request);
    }
  };

  return (message) => {
    if (message.ask === 'keep') {
      keep(message);
      return;
    }
    answerTo(message).then(
      (value) => post({ id: message.id, value }),
      (error: unknown) => post({ id: message.id, error: told(error) }),
    );
  };
}

function sessionOf(sessions: ReadonlyMap<number, ModelSession>, id: number): ModelSession {
  const session = sessions.get(id);
  if (session === undefined) throw new PredictionError('INTERNAL', `There is no session ${id}.`);
  return session;
}

/** What can be told across: the code and the words. */
function told(error: unknown): { code: PredictionError['code']; message: string } {
  if (error instanceof PredictionError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}
