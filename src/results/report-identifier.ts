import { hash } from 'node:crypto';
import type { ResultSubject } from './result-request.ts';

/** What a report is of: all that is ever said of it by versions of one model is one report. */
export interface ReportIdentity {
  readonly modelId: string;
  readonly subject: Pick<ResultSubject, 'tenant' | 'base' | 'id'>;
  /** `ImagingStudy/id` on the base of the subject. */
  readonly study: string;
}

/** SHA-256 (hex) that names the report of a model on a study, whatever version of the model says whatever of it. */
export function reportIdentifier({ modelId, subject, study }: ReportIdentity): string {
  return hash(
    'sha256',
    JSON.stringify(['fhirsight-report-1', [subject.tenant, subject.base, subject.id], modelId, study]),
  );
}
