import Type, { type Static } from 'typebox';

const strict = { additionalProperties: false } as const;

const name = Type.String({
  pattern: '^[a-z0-9-]{1,40}$',
  description: 'names the sink in the database, the log and the files: a new name is a new sink',
});
const attempts = {
  maxAttempts: Type.Integer({ minimum: 1, maximum: 1_000, default: 12, description: 'of one result, then it is dead' }),
  firstRetryMs: Type.Integer({ minimum: 1, maximum: 3_600_000, default: 1_000, description: 'doubles each time' }),
  maxRetryMs: Type.Integer({ minimum: 1, maximum: 86_400_000, default: 300_000 }),
};
const reports = Type.Boolean({
  default: false,
  description: 'true: reports of imaging studies are delivered too, and their amended versions',
});
const subjectReferences = Type.Union([Type.Literal('absolute'), Type.Literal('relative')], {
  default: 'absolute',
  description: 'relative: the sink holds the same patients and encounters under the same ids as the own store',
});
const server = {
  name,
  url: Type.String({ format: 'sink-url', description: 'FHIR base URL' }),
  allowPlainHttp: Type.Boolean({ default: false, description: 'http to another machine sends results unencrypted' }),
  tokenFile: Type.Optional(Type.String({ minLength: 1, description: 'holds a bearer token; read at each use' })),
  timeoutMs: Type.Integer({ minimum: 10, maximum: 600_000, default: 30_000, description: 'of one request' }),
  ...attempts,
  reports,
  subjectReferences,
  foreignReferences: Type.Union([Type.Literal('absolute'), Type.Literal('identifier')], {
    default: 'absolute',
    description: 'identifier: for servers that refuse references to other servers',
  }),
  device: Type.Union([Type.Literal('create'), Type.Literal('identifier')], {
    default: 'create',
    description: 'identifier: the model is named, and no Device is created',
  }),
  provenance: Type.Union([Type.Literal('put'), Type.Literal('none')], {
    default: 'put',
    description: 'put: under an id of our own, so that a repeat cannot make a second one',
  }),
};

const transactionSink = Type.Object(
  {
    kind: Type.Literal('fhir-transaction'),
    ...server,
    batchSize: Type.Integer({ minimum: 1, maximum: 500, default: 25, description: 'results in one transaction' }),
  },
  strict,
);

const createsSink = Type.Object(
  {
    kind: Type.Literal('fhir-creates'),
    ...server,
    as: Type.Union([Type.Literal('risk-assessment'), Type.Literal('observation'), Type.Literal('document-reference')], {
      default: 'risk-assessment',
    }),
    codes: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object(
          {
            system: Type.String({ minLength: 1 }),
            code: Type.String({ minLength: 1 }),
            display: Type.Optional(Type.String({ minLength: 1 })),
          },
          strict,
        ),
        { description: "the sink's own code for the Observation of an outcome, by outcome id" },
      ),
    ),
    batchSize: Type.Integer({ minimum: 1, maximum: 500, default: 20, description: 'results claimed at once' }),
  },
  strict,
);

const ndjsonSink = Type.Object(
  {
    kind: Type.Literal('ndjson'),
    name,
    folder: Type.String({ minLength: 1 }),
    ...attempts,
    reports,
    subjectReferences,
    batchSize: Type.Integer({ minimum: 1, maximum: 10_000, default: 500, description: 'most results in one file' }),
  },
  strict,
);

const dicomwebSink = Type.Object(
  {
    kind: Type.Literal('dicomweb'),
    name,
    server: Type.String({ minLength: 1, description: 'name of an image server of IMAGING_FILE' }),
    objects: Type.Array(Type.Union([Type.Literal('secondary-capture'), Type.Literal('structured-report')]), {
      minItems: 1,
      uniqueItems: true,
      description: 'what is made of a report',
    }),
    ...attempts,
    reports: Type.Literal(true, { description: 'nothing else can be sent: say that reports shall be' }),
    batchSize: Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'reports claimed at once' }),
  },
  strict,
);

/** One schema per kind: defaults are filled in only where no union stands in between. Times are milliseconds. */
export const sinkSchemas = {
  'fhir-transaction': transactionSink,
  'fhir-creates': createsSink,
  ndjson: ndjsonSink,
  dicomweb: dicomwebSink,
} as const;

/** SINKS_FILE: where written results are delivered to; each sink has the schema of its kind. */
export const sinksSchema = Type.Object(
  { $schema: Type.Optional(Type.String()), sinks: Type.Array(Type.Unknown()) },
  strict,
);

export type TransactionSink = Readonly<Static<typeof transactionSink>>;
export type CreatesSink = Readonly<Static<typeof createsSink>>;
export type NdjsonSink = Readonly<Static<typeof ndjsonSink>>;
export type DicomwebSink = Readonly<Static<typeof dicomwebSink>>;
export type ServerSink = TransactionSink | CreatesSink;
/** One sink as declared, with its defaults. */
export type SinkSettings = ServerSink | NdjsonSink | DicomwebSink;
