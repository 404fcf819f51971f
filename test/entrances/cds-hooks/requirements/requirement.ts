/** A test: its file below `test/` without `.test.ts`, and how the name of the test begins. */
export type NamedTest = readonly [file: string, name: string];

/**
 * What is known of some of the 220 numbered requirements of CDS Hooks 2.0 (`cds_hooks/requirements-2.0.csv` of the cases), by
 * their ids there and in words of ours.
 *
 * - `shown`: a duty or a choice of a service, and tests show that this one keeps to it;
 * - `answered`: a duty or a choice of a client, and tests show what this service does with who keeps to it and who does not;
 * - `not-taken`: an option of a service that this one does not take, where there is something to send with tests that it is not sent;
 * - `agreed`: what people agree on before they begin; a section of the guide says what;
 * - `not-ours`: a duty or a choice of a client that no service can see.
 */
export type KnownRequirement = { readonly ids: readonly number[]; readonly says: string } & (
  | { readonly kind: 'shown' | 'answered'; readonly tests: readonly [NamedTest, ...NamedTest[]] }
  | { readonly kind: 'not-taken'; readonly tests: readonly NamedTest[] }
  | { readonly kind: 'agreed'; readonly section: { readonly page: string; readonly heading: string } }
  | { readonly kind: 'not-ours' }
);
