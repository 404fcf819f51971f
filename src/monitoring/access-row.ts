import type { ErrorCode } from '../platform/errors.ts';

/** Create, Read, Update, Delete, or Execute: a search, an operation, anything else. */
export type AccessAction = 'C' | 'R' | 'U' | 'D' | 'E';

/** One access as it stands in `access_log`, by the names of its columns; null is what does not apply. */
export interface AccessRow {
  readonly id: string;
  readonly tenant: string;
  readonly recorded: Date;
  readonly request_id: string;
  readonly way: 'http' | 'command-line';
  readonly client: string;
  readonly client_key: string;
  readonly user_ref: string | null;
  readonly proved_by: string;
  readonly action: AccessAction;
  /** Code of restful-interaction. */
  readonly interaction: string | null;
  readonly route: string;
  readonly fhir_base: string;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly subject_id: string | null;
  readonly query: string | null;
  /** Of HTTP. */
  readonly status: number;
  readonly error_code: ErrorCode | null;
  readonly total_ms: number;
}
