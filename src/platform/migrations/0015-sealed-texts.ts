import type { Migration } from '../migrate.ts';

/**
 * Texts that a person may have written lie sealed: cohorts of runs, and the words of clinicians. What is here in the clear is read as
 * it is, and sealed at the next start. Idempotency keys are hashed, and with them what was asked for.
 */
export const sealedTexts: Migration = {
  id: '0015-sealed-texts',
  sql: `
alter table runs alter column cohort type text collate "C" using cohort::text;
comment on column runs.cohort is 'Sealed: the word, the id of the key, nonce and JSON under AES-256-GCM in base64.';
comment on column cds_feedback.user_comment is 'Sealed, as runs.cohort is: it may name the patient. None is kept without a key.';
comment on column cds_feedback.reason_display is 'Sealed, as user_comment is: a word of the client.';
comment on column operation_jobs.request is 'What was asked, with the resources of the caller, sealed as runs.cohort is; null once it is answered.';

alter table runs alter column request_hash drop not null;
update runs set request_hash = null where idempotency_key is null;
update runs set
  request_hash = encode(sha256(convert_to('request' || chr(10) || idempotency_key || chr(10) || request_hash, 'UTF8')), 'hex'),
  idempotency_key = encode(sha256(convert_to('key' || chr(10) ||
    case when schedule is null then coalesce(requester, 'anyone') else 'schedule' end || chr(10) || idempotency_key, 'UTF8')), 'hex')
where idempotency_key is not null;
comment on column runs.idempotency_key is 'SHA-256 of whose key it is and the key, in hex.';
comment on column runs.request_hash is 'SHA-256 of the key and what was asked for with it, in hex; null where no key was given.';
`,
};
