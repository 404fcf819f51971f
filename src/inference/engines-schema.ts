import Type, { type Static } from 'typebox';

const strict = { additionalProperties: false } as const;

const openInference = Type.Object(
  {
    protocol: Type.Literal('open-inference', { description: 'the Open Inference Protocol (version 2) over HTTP' }),
    url: Type.String({ format: 'engine-url', description: 'what stands before /v2' }),
    allowPlainHttp: Type.Boolean({ default: false, description: 'http to another machine sends inputs unencrypted' }),
    tokenFile: Type.Optional(Type.String({ minLength: 1, description: 'holds a bearer token; read at each use' })),
    timeoutMs: Type.Integer({
      minimum: 10,
      maximum: 600_000,
      default: 5_000,
      description: 'of one inference, its repetitions included',
    }),
    attempts: Type.Integer({ minimum: 1, maximum: 10, default: 2, description: 'of one inference, within that time' }),
    binary: Type.Boolean({ default: true, description: 'tensors as bytes, where the server offers that' }),
    connections: Type.Integer({ minimum: 1, maximum: 256, default: 16, description: 'at the same time' }),
    maxAnswerMb: Type.Integer({ minimum: 1, maximum: 1_000, default: 32, description: 'a longer answer is refused' }),
  },
  strict,
);

const model = Type.Object(
  {
    device: Type.Optional(
      Type.Union([Type.Literal('cpu'), Type.Literal('prefer-gpu'), Type.Literal('require-gpu')], {
        description: 'cpu where it is not said',
      }),
    ),
    isolation: Type.Optional(
      Type.Literal('process', { description: 'a model that is not trusted: in a process of its own' }),
    ),
    engine: Type.Optional(Type.String({ description: 'name of the engine that runs it, in the place of this server' })),
    remoteModel: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'its name there' })),
    remoteVersion: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'its version there' })),
  },
  strict,
);

/** ENGINES_FILE: the remote engines, and how each model is run. Times are milliseconds. */
export const enginesSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    engines: Type.Record(Type.String({ pattern: '^[a-z0-9-]{1,40}$' }), openInference, { ...strict, default: {} }),
    models: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$' }), model, { ...strict, default: {} }),
  },
  strict,
);

/** A remote engine as declared, with its defaults; its token file is absolute. */
export type RemoteEngineSettings = Readonly<Static<typeof openInference>>;
/** What the file says of one model. */
export type ModelEngineSettings = Readonly<Static<typeof model>>;
export type EnginesFile = Readonly<Static<typeof enginesSchema>>;
