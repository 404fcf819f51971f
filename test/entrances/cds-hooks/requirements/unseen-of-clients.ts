import type { KnownRequirement } from './requirement.ts';

const unseen = (says: string, ...ids: readonly number[]): KnownRequirement => ({ ids, says, kind: 'not-ours' });

/** Duties and choices of a client that no service can see. */
export const unseenOfClients: readonly KnownRequirement[] = [
  unseen('When a client calls a service is its own rule', 17),
  unseen(
    'That no two calls of all clients have one hookInstance, and that it cannot be guessed: nothing here rests on it',
    25,
    26,
  ),
  unseen('Words of explanation, which the list itself counts no more', 24, 31, 33, 62),
  unseen('From where a client takes what it prefetches, and for how many services at once', 38, 39, 40, 41, 43, 44),
  unseen('What the user may see, and that the prefetch is what the query would give', 42, 45, 63, 64, 173),
  unseen('A client takes its token back when the call is over', 73),
  unseen('A client takes away the cards of an earlier call', 78, 209, 212),
  unseen('How a client shows cards, and in which order', 86, 89, 97, 101, 114, 129, 137),
  unseen('How a client carries out what is accepted, and launches apps', 126, 143),
  unseen('That a client reports what became of cards, and of which it does not', 149, 150, 163, 164),
  unseen('Which services, and which of their links, a client trusts', 169, 170),
  unseen(
    'That this service is registered at the authorization server of the client, and called over TLS',
    171,
    172,
    174,
  ),
  unseen('Which algorithm a client chooses of those that are taken', 204),
];
