import type { FhirScope } from './access/scopes.ts';

/** What one may do beyond asking for predictions and reading what the scopes of the token allow. */
export const roles = ['caller', 'reviewer', 'model-owner', 'operator', 'auditor'] as const;

export type Role = (typeof roles)[number];

/** What the token of a request allows with FHIR data. */
export interface FhirAccess {
  readonly scopes: readonly FhirScope[];
  /** Logical id of the patient of the launch: whom `patient/` scopes are about. */
  readonly patient?: string;
}

/** Who makes a request, as far as it was proved. Never a token: that lives for its request only. */
export interface Principal {
  readonly provedBy: 'nothing' | 'cds-jwt' | 'access-token' | 'static-token';
  /** The program, as it is configured here: for the logs. */
  readonly client: string;
  /** One for each client of each issuer: owns jobs, and is what rates are counted by. */
  readonly key: string;
  /** The person who works with the program: `Practitioner/17` of this server, or an absolute URL. */
  readonly user?: string;
  readonly roles: ReadonlySet<Role>;
  /** Absent: no FHIR data at all. `everything`: on a server without authentication, and for commands of its own user. */
  readonly fhir?: FhirAccess | 'everything';
  /** Permissions that the token itself carries as `fhirsight/…`, from an issuer that may grant them. */
  readonly ownScopes?: ReadonlySet<string>;
  /** What this client is configured for beyond reading cards. */
  readonly cdsHooks: {
    readonly writesBack: boolean;
    readonly systemActions: boolean;
    /** Bases without a trailing slash that its calls may name as `fhirServer`; absent: every server that may be asked. */
    readonly fhirServers?: readonly string[];
  };
}

/** Whoever can reach a server with AUTH=none, which listens on a loopback address only. */
export const anyone: Principal = {
  provedBy: 'nothing',
  client: 'anyone on this machine',
  key: 'anyone',
  roles: new Set(roles),
  fhir: 'everything',
  cdsHooks: { writesBack: false, systemActions: false },
};

/** Whoever has proved nothing on a server that asks for proof. */
export const nobody: Principal = {
  provedBy: 'nothing',
  client: 'nobody',
  key: 'nobody',
  roles: new Set(),
  cdsHooks: { writesBack: false, systemActions: false },
};

/** Key of whoever may read the data directory: commands on this machine, by the user of the server. */
export const commandLineKey = 'command-line';
