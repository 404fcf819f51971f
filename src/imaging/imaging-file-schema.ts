import Type, { type Static } from 'typebox';

const strict = { additionalProperties: false } as const;
const url = (description: string) => Type.String({ format: 'image-server-url', description });
const file = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));
const variable = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[A-Z][A-Z0-9_]{0,99}$', description }));

const server = Type.Object(
  {
    url: url('what stands before /studies'),
    endpoints: Type.Array(url('an address by which an Endpoint names it, where that is another one'), { default: [] }),
    qidoUrl: Type.Optional(url('base of its search (QIDO-RS), where that is another one')),
    stowUrl: Type.Optional(url('base of its store (STOW-RS), where that is another one')),
    allowPlainHttp: Type.Boolean({ default: false, description: 'http to another machine sends images unencrypted' }),
    user: Type.Optional(
      Type.String({ pattern: '^[^:\\x00-\\x1f]{1,200}$', description: 'for Basic, with a password' }),
    ),
    passwordFile: file('holds the password of the user; read at each request'),
    passwordVariable: variable('environment variable with the password of the user'),
    tokenFile: file('holds a bearer token; read at each request'),
    tokenVariable: variable('environment variable with a bearer token'),
    connections: Type.Integer({ minimum: 1, maximum: 64, default: 4, description: 'at the same time' }),
  },
  strict,
);

const limits = Type.Object(
  {
    timeoutMs: Type.Integer({
      minimum: 100,
      maximum: 600_000,
      default: 30_000,
      description: 'that one request waits for the server, all waits added up',
    }),
    objectMb: Type.Integer({ minimum: 1, maximum: 4_000, default: 256, description: 'of one frame or object' }),
    metadataMb: Type.Integer({ minimum: 1, maximum: 1_000, default: 100, description: 'of the metadata of a study' }),
    studyMb: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 2_000,
      description: 'of the pixels of one prediction',
    }),
    frames: Type.Integer({ minimum: 1, maximum: 100_000, default: 5_000, description: 'that one prediction reads' }),
    memoryMb: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 4_000,
      description: 'of the images of all predictions together, from what is fetched to their tensors',
    }),
  },
  { ...strict, default: {}, description: 'a megabyte is 1,000,000 bytes' },
);

/** IMAGING_FILE: the image servers that may be asked, and how much is read of them. */
export const imagingFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    servers: Type.Record(Type.String({ pattern: '^[a-z0-9-]{1,40}$' }), server, { ...strict, minProperties: 1 }),
    default: Type.Optional(Type.String({ description: 'name of the server of studies that name no Endpoint' })),
    limits,
    quietPeriodSeconds: Type.Integer({
      minimum: 0,
      maximum: 86_400,
      default: 120,
      description: 'that no object of a study has arrived for, before the study counts as whole',
    }),
    patientIdentifiers: Type.Array(
      Type.Object(
        {
          issuer: Type.Optional(
            Type.String({
              minLength: 1,
              description: 'IssuerOfPatientID (0010,0021), as the images have it; absent: of images that have none',
            }),
          ),
          system: Type.String({ pattern: '^[a-z][a-z0-9+.-]*:\\S+$', description: 'system of the Patient.identifier' }),
        },
        strict,
      ),
      { default: [], description: 'which Patient.identifier the PatientID of an issuer is' },
    ),
  },
  strict,
);

/** What IMAGING_FILE says, with its defaults. */
export type ImagingFile = Readonly<Static<typeof imagingFileSchema>>;
/** One server as declared; its bases have no slash and no `/studies` at the end, its files are absolute. */
export type ImageServerSettings = Readonly<Static<typeof server>>;
