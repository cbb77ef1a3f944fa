/**
 * An entry of the audit log as a sentence that a person understands, and the kinds of entries to choose from.
 *
 * Names are those of now; what is gone has the name that the entry kept, if it kept one.
 */
import type { Act, AuditEntry } from '../../api/types.ts';
import { aRoleOf } from './roles.ts';

/** What can be done and is written down. */
export const ACTS: Record<Act, string> = {
  'team.founded': 'Team founded',
  'team.renamed': 'Team renamed',
  'team.handed_over': 'Team handed over',
  'team.deletion_asked': 'Deletion asked for',
  'team.deletion_cancelled': 'Deletion taken back',
  'team.exported': 'Team exported',
  'audit.exported': 'Audit log exported',
  'member.invited': 'Somebody invited',
  'invitation.revoked': 'Invitation revoked',
  'member.joined': 'Somebody joined',
  'member.left': 'Somebody left',
  'member.removed': 'Member removed',
  'member.role_changed': 'Role changed',
  'rig.added': 'Rig added',
  'rig.deleted': 'Rig deleted',
  'token.made': 'Token made',
  'token.rotated': 'Token replaced',
  'token.revoked': 'Token revoked',
  'pairing.approved': 'Pairing approved',
  'pairing.denied': 'Pairing denied',
  'share.made': 'Share link made',
  'share.revoked': 'Share link revoked',
  'api_key.made': 'API key made',
  'api_key.revoked': 'API key revoked',
  'team.looked_at': 'Team looked at',
  'team.disabled': 'Team disabled',
  'team.enabled': 'Team enabled again',
};

/** The same, by what it is about. */
export const KINDS: readonly { about: string; acts: readonly Act[] }[] = [
  {
    about: 'Team',
    acts: [
      'team.founded',
      'team.renamed',
      'team.handed_over',
      'team.deletion_asked',
      'team.deletion_cancelled',
      'team.exported',
      'audit.exported',
    ],
  },
  {
    about: 'Members',
    acts: [
      'member.invited',
      'invitation.revoked',
      'member.joined',
      'member.left',
      'member.removed',
      'member.role_changed',
    ],
  },
  {
    about: 'Rigs',
    acts: [
      'rig.added',
      'rig.deleted',
      'token.made',
      'token.rotated',
      'token.revoked',
      'pairing.approved',
      'pairing.denied',
    ],
  },
  { about: 'Share links and API keys', acts: ['share.made', 'share.revoked', 'api_key.made', 'api_key.revoked'] },
  { about: 'Operator of this service', acts: ['team.looked_at', 'team.disabled', 'team.enabled'] },
];

const SCOPES: Record<string, string> = {
  read_live: 'live data',
  read_history: 'recorded sessions',
  read_setups: 'setups',
};

/** Who did it. */
export function actor(entry: AuditEntry): string {
  if (entry.actor_kind === 'operator') return 'The operator of this service';
  if (entry.actor_kind === 'service') return 'The service';
  return entry.actor_name ?? 'Somebody whose account is no more';
}

/** The whole sentence, who did it included. */
export function sentence(entry: AuditEntry): string {
  return `${actor(entry)} ${what(entry)}.${endedWith(entry.detail['ended'])}`;
}

/** What was done, after the name of who did it. */
function what(entry: AuditEntry): string {
  const { detail } = entry;
  switch (entry.action) {
    case 'team.founded':
      return `founded the team${named(detail['name'], ' as ')}`;
    case 'team.renamed':
      return `renamed the team from ${quoted(detail['from'])} to ${quoted(detail['to'])}`;
    case 'team.handed_over':
      return `handed the team over to ${person(entry)} and became an engineer`;
    case 'team.deletion_asked':
      return 'asked for the team to be deleted';
    case 'team.deletion_cancelled':
      return 'kept the team: it will not be deleted';
    case 'team.exported':
      return 'exported everything that the team has';
    case 'audit.exported':
      return 'exported the audit log';
    case 'team.disabled':
      return `disabled the team${because(detail['reason'])}`;
    case 'team.enabled':
      return `enabled the team again${because(detail['reason'])}`;
    case 'team.looked_at':
      return 'looked at how much the team has: counts, nothing of what it recorded';
    case 'member.invited':
      return `invited ${text(detail['email']) ?? 'whoever gets the link'} as ${aRoleOf(detail['role'])}`;
    case 'invitation.revoked':
      return entry.subject_name === null
        ? 'revoked an invitation by link'
        : `revoked the invitation of ${entry.subject_name}`;
    case 'member.joined':
      return `joined as ${aRoleOf(detail['role'])}`;
    case 'member.left':
      return 'left the team';
    case 'member.removed':
      return `removed ${person(entry)} from the team`;
    case 'member.role_changed':
      return `changed ${person(entry)} from ${aRoleOf(detail['from'])} to ${aRoleOf(detail['to'])}`;
    case 'rig.added':
      return `added the rig ${thing(entry)}`;
    case 'rig.deleted':
      return `deleted the rig ${thing(entry)}`;
    case 'token.made':
      return `made a token${publicPart(detail)} for ${rig(entry)}${madeHow(detail)}`;
    case 'token.rotated':
      return `replaced a token of ${rig(entry)} by another${publicPart(detail)}${overlap(detail['overlap_h'])}`;
    case 'token.revoked':
      return `revoked a token of ${rig(entry)}`;
    case 'pairing.approved':
      return `let the agent on ${agent(detail)} become the rig ${thing(entry)}`;
    case 'pairing.denied':
      return `kept the agent on ${agent(detail)} out`;
    case 'share.made':
      return `made the share link ${thing(entry)} of ${shared(detail)}`;
    case 'share.revoked':
      return `revoked the share link ${thing(entry)}`;
    case 'api_key.made':
      return `made the API key ${thing(entry)}, which may read ${scopes(detail['scopes'])}`;
    case 'api_key.revoked':
      return `revoked the API key ${thing(entry)}`;
    // An older page may meet what a newer service writes.
    default:
      return `did “${String(entry.action)}”`;
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const quoted = (value: unknown): string => `“${text(value) ?? '…'}”`;
const named = (value: unknown, before: string): string => (text(value) === null ? '' : `${before}${quoted(value)}`);
const because = (reason: unknown): string => (text(reason) === null ? '' : `: “${text(reason) ?? ''}”`);

const person = (entry: AuditEntry): string => entry.subject_name ?? 'somebody whose account is no more';

/** What has a name of its own. */
function thing(entry: AuditEntry): string {
  const name = entry.subject_name ?? text(entry.detail['name']);
  // The name in the entry of a pairing is the machine's.
  const isMachine = entry.action.startsWith('pairing.');
  return name === null || (isMachine && entry.subject_name === null) ? 'that is no more' : quoted(name);
}

const rig = (entry: AuditEntry): string =>
  entry.subject_name === null ? 'a rig that is no more' : `the rig ${quoted(entry.subject_name)}`;

const publicPart = (detail: AuditEntry['detail']): string =>
  text(detail['public_id']) === null ? '' : ` (${text(detail['public_id']) ?? ''})`;

function madeHow(detail: AuditEntry['detail']): string {
  if (detail['by'] === 'pairing') return ' by pairing';
  const days = detail['expires_in_days'];
  return typeof days === 'number' ? `, good for ${plural(days, 'day')}` : '';
}

function overlap(hours: unknown): string {
  if (typeof hours !== 'number') return '';
  return hours === 0 ? '; the old one ended at once' : `; the old one is good for ${plural(hours, 'hour')} more`;
}

const agent = (detail: AuditEntry['detail']): string =>
  `${quoted(detail['name'])}${text(detail['address']) === null ? '' : ` (${text(detail['address']) ?? ''})`}`;

function shared(detail: AuditEntry['detail']): string {
  const what = { session: 'one session', rig: 'one car, live', team: 'the whole team, live' };
  const kind = what[detail['kind'] as keyof typeof what] ?? 'the team';
  const delay = detail['delay_s'];
  const more = [
    detail['shows_history'] === true ? 'with history' : null,
    detail['shows_setup'] === true ? 'with setups' : null,
    typeof delay === 'number' && delay > 0 ? `${delay} s later` : null,
    detail['has_password'] === true ? 'behind a password' : null,
  ];
  return [kind, ...more.filter((part) => part !== null)].join(', ');
}

function scopes(value: unknown): string {
  const names = Array.isArray(value) ? value.map((scope) => SCOPES[String(scope)] ?? String(scope)) : [];
  if (names.length < 2) return names.join('') || 'nothing';
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

/** What somebody had given others and what ended with their right to give it. */
function endedWith(ended: unknown): string {
  if (typeof ended !== 'object' || ended === null) return '';
  const counts = ended as Record<string, unknown>;
  const parts = [
    [counts['invitations'], 'invitation'],
    [counts['shares'], 'share link'],
    [counts['api_keys'], 'API key'],
  ].flatMap(([n, one]) => (typeof n === 'number' && n > 0 ? [plural(n, one as string)] : []));
  if (parts.length === 0) return '';
  const list = parts.length === 1 ? parts[0] : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
  return ` With it ended what they had made: ${list ?? ''}.`;
}
