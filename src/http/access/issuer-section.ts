import Type from 'typebox';

/** Asymmetric ones alone: whoever verifies with a shared secret could also sign (SM-21, CDS-64). */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

const strict = { additionalProperties: false } as const;
const url = (description: string) => Type.String({ format: 'issuer-url', description });

const introspection = Type.Object(
  {
    url: url('introspection endpoint (RFC 7662)'),
    clientId: Type.String({ minLength: 1, description: 'as which this server asks' }),
    clientSecretFile: Type.String({ minLength: 1, description: 'file with its secret' }),
  },
  strict,
);

const issuer = Type.Object(
  {
    issuer: Type.String({ minLength: 1, maxLength: 500, description: 'exactly as tokens write it in `iss`' }),
    jwksUri: Type.Optional(url('where its public keys are; JWT are verified with them')),
    jwksFile: Type.Optional(
      Type.String({ minLength: 1, description: 'file with its public keys, in place of jwksUri' }),
    ),
    introspection: Type.Optional(introspection),
    algorithms: Type.Array(Type.Enum([...tokenAlgorithms]), {
      default: ['RS384', 'ES384'],
      minItems: 1,
      uniqueItems: true,
      description: 'signatures that are taken from it',
    }),
    audience: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'what it writes in `aud` for this server, where that is not the FHIR base',
      }),
    ),
    tenant: Type.Optional(
      Type.Object(
        { claim: Type.String({ minLength: 1 }), value: Type.String({ minLength: 1 }) },
        { ...strict, description: 'claim that its tokens must carry, where one issuer serves several organisations' },
      ),
    ),
    grantsOwnScopes: Type.Boolean({
      default: false,
      description: 'true: `fhirsight/…` scopes of its tokens count, as to change what is served',
    }),
    tokenEndpoint: Type.Optional(url('shown to clients in smart-configuration')),
  },
  strict,
);

/** `issuers` of ACCESS_FILE: whose access tokens are taken. */
export const issuerSection = Type.Array(issuer, { default: [], description: 'whose access tokens are taken' });
