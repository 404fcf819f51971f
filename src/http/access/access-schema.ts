import Type, { type Static } from 'typebox';
import { cdsClientSection } from './cds-client-section.ts';
import { clientSection, staticTokenSection } from './client-section.ts';
import { issuerSection } from './issuer-section.ts';

/** ACCESS_FILE: who may call. Each section has a file of its own; a field that is not known is refused. */
export const accessSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    issuers: issuerSection,
    clients: clientSection,
    staticTokens: staticTokenSection,
    cdsClients: cdsClientSection,
  },
  { additionalProperties: false },
);

/** Who may call, as declared, with defaults; paths are absolute. */
export type AccessSettings = Readonly<Static<typeof accessSchema>>;
