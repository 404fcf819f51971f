/**
 * Judges a response of a CDS service by what CDS Hooks 2.0.1 says, sharing nothing with the product (CDS-5, CDS-30 to
 * CDS-43). @returns one finding per fault, as `place: what is wrong`
 */
export function cdsResponseFindings(response: unknown): string[] {
  const findings: string[] = [];
  const find: Find = (place, message) => void findings.push(`${place}: ${message}`);
  emptiness(response, 'response', find);
  if (!isObject(response)) {
    find('response', 'must be an object');
    return findings;
  }
  if (!Array.isArray(response.cards)) find('cards', 'is required, even if empty (CDS-30)');
  else for (const [index, card] of response.cards.entries()) checkCard(card, `cards[${index}]`, find);
  checkUuids(response.cards, find);
  if (response.systemActions !== undefined) {
    list(response.systemActions, 'systemActions', find).forEach((action, index) => {
      checkAction(action, `systemActions[${index}]`, find, false);
    });
  }
  return findings;
}

type Find = (place: string, message: string) => void;
type Json = Record<string, unknown>;

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const halfCharacter = /\p{Cs}/u;

function checkCard(card: unknown, place: string, find: Find): void {
  if (!isObject(card)) {
    find(place, 'must be an object');
    return;
  }
  if (card.uuid !== undefined && !(typeof card.uuid === 'string' && uuidShape.test(card.uuid)))
    find(`${place}.uuid`, 'must be a bare UUID (CDS-31)');
  const summary = text(card.summary, `${place}.summary`, find);
  if (summary.length >= 140) find(`${place}.summary`, `has ${summary.length} characters; fewer than 140 (CDS-32)`);
  if (/[\r\n]/.test(summary) || halfCharacter.test(summary)) find(`${place}.summary`, 'is not one line of whole text');
  if (card.detail !== undefined) {
    const detail = text(card.detail, `${place}.detail`, find);
    if (halfCharacter.test(detail)) find(`${place}.detail`, 'holds half a character');
    if (/<[a-z/!?]/i.test(detail)) find(`${place}.detail`, 'holds HTML (CDS-33)');
  }
  if (!['info', 'warning', 'critical'].includes(String(card.indicator)))
    find(`${place}.indicator`, 'must be info, warning or critical (CDS-34)');
  checkSource(card.source, `${place}.source`, find);
  if (card.overrideReasons !== undefined) {
    list(card.overrideReasons, `${place}.overrideReasons`, find).forEach((reason, index) => {
      checkCoding(reason, `${place}.overrideReasons[${index}]`, find, true);
    });
  }
  checkSuggestions(card, place, find);
  if (card.links !== undefined) {
    list(card.links, `${place}.links`, find).forEach((link, index) => {
      checkLink(link, `${place}.links[${index}]`, find);
    });
  }
  if (card.extension !== undefined && !isObject(card.extension))
    find(`${place}.extension`, 'must be an object (CDS-14)');
}

function checkSource(source: unknown, place: string, find: Find): void {
  if (!isObject(source)) {
    find(place, 'is required (CDS-35)');
    return;
  }
  text(source.label, `${place}.label`, find);
  for (const name of ['url', 'icon']) if (source[name] !== undefined) absolute(source[name], `${place}.${name}`, find);
  if (source.topic !== undefined) checkCoding(source.topic, `${place}.topic`, find, false);
}

function checkCoding(coding: unknown, place: string, find: Find, named: boolean): void {
  if (!isObject(coding)) {
    find(place, 'must be an object');
    return;
  }
  text(coding.system, `${place}.system`, find);
  text(coding.code, `${place}.code`, find);
  if (named || coding.display !== undefined) text(coding.display, `${place}.display`, find);
}

function checkSuggestions(card: Json, place: string, find: Find): void {
  if (card.suggestions === undefined) {
    if (card.selectionBehavior !== undefined) find(`${place}.selectionBehavior`, 'goes with suggestions (CDS-37)');
    return;
  }
  const suggestions = list(card.suggestions, `${place}.suggestions`, find);
  if (card.selectionBehavior !== 'at-most-one' && card.selectionBehavior !== 'any')
    find(`${place}.selectionBehavior`, 'must be at-most-one or any beside suggestions (CDS-37)');
  const recommended = suggestions.filter((one) => isObject(one) && one.isRecommended === true);
  if (card.selectionBehavior === 'at-most-one' && recommended.length > 1)
    find(`${place}.suggestions`, 'recommend more than one of at most one (CDS-38)');
  for (const [index, suggestion] of suggestions.entries()) {
    const at = `${place}.suggestions[${index}]`;
    if (!isObject(suggestion)) {
      find(at, 'must be an object');
      continue;
    }
    text(suggestion.label, `${at}.label`, find);
    if (suggestion.uuid !== undefined && !(typeof suggestion.uuid === 'string' && uuidShape.test(suggestion.uuid)))
      find(`${at}.uuid`, 'must be a bare UUID (CDS-38)');
    if (suggestion.isRecommended !== undefined && typeof suggestion.isRecommended !== 'boolean')
      find(`${at}.isRecommended`, 'must be true or false (CDS-38)');
    if ('actionSelectionBehavior' in suggestion)
      find(`${at}.actionSelectionBehavior`, 'is not for clients of unknown support (CDS-40)');
    if (suggestion.actions !== undefined) {
      list(suggestion.actions, `${at}.actions`, find).forEach((action, position) => {
        checkAction(action, `${at}.actions[${position}]`, find, true);
      });
    }
  }
}

/** @param described a suggestion's action needs a description; the specification's own system action has none */
function checkAction(action: unknown, place: string, find: Find, described: boolean): void {
  if (!isObject(action)) {
    find(place, 'must be an object');
    return;
  }
  const { type } = action;
  if (type !== 'create' && type !== 'update' && type !== 'delete')
    find(`${place}.type`, 'must be create, update or delete (CDS-39)');
  if (described) text(action.description, `${place}.description`, find);
  const { resource, resourceId } = action;
  if (type === 'create' || type === 'update') {
    if (!isObject(resource)) find(`${place}.resource`, 'is required');
    else if (typeof resource.resourceType !== 'string') find(`${place}.resource`, 'must be a resource (CDS-39)');
    else if (type === 'create' && resource.id !== undefined) find(`${place}.resource.id`, 'is the client’s to give');
    else if (type === 'update' && typeof resource.id !== 'string') find(`${place}.resource.id`, 'is required (CDS-39)');
    if (resourceId !== undefined) find(`${place}.resourceId`, 'goes with delete only (CDS-39)');
  }
  if (type === 'delete') {
    if (resource !== undefined) find(`${place}.resource`, 'is deprecated with delete (CDS-39)');
    const known = typeof resourceId === 'string' && /^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.test(resourceId);
    if (!known && resource === undefined) find(`${place}.resourceId`, 'must be a relative reference (CDS-39)');
  }
}

function checkLink(link: unknown, place: string, find: Find): void {
  if (!isObject(link)) {
    find(place, 'must be an object');
    return;
  }
  text(link.label, `${place}.label`, find);
  absolute(link.url, `${place}.url`, find);
  if (link.type !== 'absolute' && link.type !== 'smart') find(`${place}.type`, 'must be absolute or smart (CDS-42)');
  if (link.appContext !== undefined) {
    text(link.appContext, `${place}.appContext`, find);
    if (link.type !== 'smart') find(`${place}.appContext`, 'goes with smart only (CDS-42)');
  }
  if (link.autolaunchable !== undefined && typeof link.autolaunchable !== 'boolean')
    find(`${place}.autolaunchable`, 'must be true or false (CDS-42)');
}

/** Feedback names cards and suggestions by them: none may be there twice. */
function checkUuids(cards: unknown, find: Find): void {
  const seen = new Set<unknown>();
  for (const card of (Array.isArray(cards) ? cards : []).filter(isObject)) {
    const suggestions = Array.isArray(card.suggestions) ? card.suggestions.filter(isObject) : [];
    for (const { uuid } of [card, ...suggestions]) {
      if (uuid !== undefined && seen.has(uuid)) find('cards', `name two things ${String(uuid)} (CDS-31, CDS-38)`);
      seen.add(uuid);
    }
  }
}

/** CDS-5: no null, no empty text, object or array; `cards` may be empty. */
function emptiness(value: unknown, place: string, find: Find): void {
  if (value === null || value === '') find(place, 'must have some content');
  else if (typeof value === 'object' && value !== undefined) {
    const entries = Object.entries(value ?? {});
    if (entries.length === 0 && place !== 'response.cards') find(place, 'must have some content');
    for (const [key, item] of entries) emptiness(item, `${place}.${key}`, find);
  }
}

function text(value: unknown, place: string, find: Find): string {
  if (typeof value === 'string' && value !== '') return value;
  find(place, 'is required, as text');
  return '';
}

function absolute(value: unknown, place: string, find: Find): void {
  if (typeof value !== 'string' || !/^https?:\/\//.test(value) || !URL.canParse(value))
    find(place, 'must be an absolute URL');
}

function list(value: unknown, place: string, find: Find): unknown[] {
  if (Array.isArray(value)) return value;
  find(place, 'must be an array');
  return [];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
