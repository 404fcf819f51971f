import Type from 'typebox';
import { roles } from '../principal.ts';

const strict = { additionalProperties: false } as const;

const role = Type.Enum([...roles]);

const client = Type.Object(
  {
    issuer: Type.String({ minLength: 1, description: 'one of the issuers' }),
    clientId: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'as its tokens write it in `client_id` or `azp`',
    }),
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'for logs; the clientId by default' }),
    ),
    roles: Type.Array(role, {
      default: ['caller'],
      uniqueItems: true,
      description: 'beside the FHIR scopes of its tokens',
    }),
  },
  strict,
);

/** `clients` of ACCESS_FILE: programs that may call with an access token. A token of any other is refused. */
export const clientSection = Type.Array(client, {
  default: [],
  description: 'programs that may call with an access token',
});

const staticToken = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9-]{1,40}$', description: 'for logs' }),
    tokenFile: Type.String({ minLength: 1, description: 'file with the bearer token, at least 16 characters' }),
    roles: Type.Array(role, {
      minItems: 1,
      uniqueItems: true,
      description: 'it has no FHIR scopes: no data of patients',
    }),
  },
  strict,
);

/** `staticTokens` of ACCESS_FILE: for programs that know no OAuth, such as a Prometheus. */
export const staticTokenSection = Type.Array(staticToken, {
  default: [],
  description: 'for programs that know no OAuth',
});
